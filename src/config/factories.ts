import type {
  AnyFactory,
  ConnectorFactory,
  ExporterFactory,
  ExtensionFactory,
  ProcessorFactory,
  ReceiverFactory,
} from '../component/factory.js';

/** Section of the configuration file for each kind of component. */
export const SECTIONS = ['receivers', 'processors', 'exporters', 'connectors', 'extensions'] as const;
export type Section = (typeof SECTIONS)[number];

export interface FactoriesBySection {
  readonly receivers: ReadonlyMap<string, ReceiverFactory>;
  readonly processors: ReadonlyMap<string, ProcessorFactory>;
  readonly exporters: ReadonlyMap<string, ExporterFactory>;
  readonly connectors: ReadonlyMap<string, ConnectorFactory>;
  readonly extensions: ReadonlyMap<string, ExtensionFactory>;
}

/** Factories by section, and there by type and by each alias. Throws on two factories of one name: that is a bug. */
export function bySection(factories: readonly AnyFactory[]): FactoriesBySection {
  const sections = {
    receivers: new Map<string, ReceiverFactory>(),
    processors: new Map<string, ProcessorFactory>(),
    exporters: new Map<string, ExporterFactory>(),
    connectors: new Map<string, ConnectorFactory>(),
    extensions: new Map<string, ExtensionFactory>(),
  };
  const add = <F extends AnyFactory>(section: Map<string, F>, factory: F) => {
    for (const name of [factory.type, ...(factory.aliases ?? [])]) {
      if (section.has(name)) throw new Error(`two ${factory.kind} factories are called "${name}"`);
      section.set(name, factory);
    }
  };
  for (const factory of factories) {
    switch (factory.kind) {
      case 'receiver':
        add(sections.receivers, factory);
        break;
      case 'processor':
        add(sections.processors, factory);
        break;
      case 'exporter':
        add(sections.exporters, factory);
        break;
      case 'connector':
        add(sections.connectors, factory);
        break;
      case 'extension':
        add(sections.extensions, factory);
        break;
    }
  }
  return sections;
}
