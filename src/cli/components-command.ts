import { stringify } from 'yaml';
import type { AnyFactory, Stability } from '../component/factory.js';
import { COMPONENTS } from '../components.js';
import { PROVIDER_SCHEMES } from '../config/providers.js';
import { VERSION } from '../version.js';
import { type Command, EXIT_OK } from './command.js';
import { parsePlainOptions } from './options.js';

/** The form of the Collector's `components` subcommand. */
export const componentsCommand: Command = async (args, io) => {
  parsePlainOptions(args, {}, { exactly: 0 });
  const module = `kindling v${VERSION}`;
  const list = (kind: AnyFactory['kind']) =>
    COMPONENTS.filter((factory) => factory.kind === kind)
      .toSorted((a, b) => a.type.localeCompare(b.type))
      .map((factory) => ({
        name: factory.type,
        module,
        description: factory.description,
        stability: stabilityOf(factory),
      }));
  io.out(
    stringify({
      buildinfo: {
        command: 'kindling',
        description: 'eBPF node agent that explains slow spans',
        version: VERSION,
      },
      receivers: list('receiver'),
      processors: list('processor'),
      exporters: list('exporter'),
      connectors: list('connector'),
      extensions: list('extension'),
      providers: PROVIDER_SCHEMES.map((scheme) => ({ scheme, module })),
    }),
  );
  return EXIT_OK;
};

function stabilityOf(factory: AnyFactory): Record<string, string> {
  const level = capitalized(factory.stability);
  switch (factory.kind) {
    case 'extension':
      return { extension: level };
    case 'connector':
      return Object.fromEntries(factory.routes.map(({ from, to }) => [`${from}-to-${to}`, level]));
    default:
      return Object.fromEntries(factory.signals.map((signal) => [signal, level]));
  }
}

const capitalized = (word: Stability): string => word.charAt(0).toUpperCase() + word.slice(1);
