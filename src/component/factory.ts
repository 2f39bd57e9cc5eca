import type { z } from 'zod';
import type {
  Connector,
  Consumer,
  Exporter,
  Extension,
  Processor,
  Receiver,
  ReceiverOutputs,
  Settings,
} from './component.js';
import type { Signal } from './signal.js';

/** How far a component may be relied on; the words are those of the OpenTelemetry Collector. */
export type Stability = 'development' | 'alpha' | 'beta' | 'stable';

interface FactoryBase<C> {
  /** Name in the configuration, `lower_snake_case`. */
  readonly type: string;
  /** Former names that are still accepted, with a warning. */
  readonly aliases?: readonly string[];
  readonly stability: Stability;
  /** One sentence for `kindling components` and the documentation. */
  readonly description: string;
  /** A fresh zod schema: types, defaults, checks and documentation of the settings. */
  readonly config: () => z.ZodType<C>;
}

export interface ReceiverFactory<C = unknown> extends FactoryBase<C> {
  readonly kind: 'receiver';
  readonly signals: readonly Signal[];
  /** One instance serves all pipelines that name it; `next` has one consumer for each signal it feeds. */
  create(settings: Settings, config: C, next: ReceiverOutputs): Receiver;
}

export interface ProcessorFactory<C = unknown> extends FactoryBase<C> {
  readonly kind: 'processor';
  readonly signals: readonly Signal[];
  /** One instance for each pipeline that names it. */
  create(settings: Settings, config: C, signal: Signal, next: Consumer): Processor;
}

export interface ExporterFactory<C = unknown> extends FactoryBase<C> {
  readonly kind: 'exporter';
  readonly signals: readonly Signal[];
  /** One instance for each signal, shared between pipelines. */
  create(settings: Settings, config: C, signal: Signal): Exporter;
}

export interface ConnectorFactory<C = unknown> extends FactoryBase<C> {
  readonly kind: 'connector';
  readonly routes: readonly { readonly from: Signal; readonly to: Signal }[];
  create(settings: Settings, config: C, from: Signal, next: Consumer, to: Signal): Connector;
}

export interface ExtensionFactory<C = unknown> extends FactoryBase<C> {
  readonly kind: 'extension';
  create(settings: Settings, config: C): Extension;
}

export type AnyFactory =
  | ReceiverFactory
  | ProcessorFactory
  | ExporterFactory
  | ConnectorFactory
  | ExtensionFactory;

/** Checks the types of a factory where it is written, and erases its settings type for the list of components. */
export const defineReceiver = <C>(factory: Omit<ReceiverFactory<C>, 'kind'>): ReceiverFactory =>
  Object.freeze({ kind: 'receiver', ...factory }) as unknown as ReceiverFactory;
export const defineProcessor = <C>(factory: Omit<ProcessorFactory<C>, 'kind'>): ProcessorFactory =>
  Object.freeze({ kind: 'processor', ...factory }) as unknown as ProcessorFactory;
export const defineExporter = <C>(factory: Omit<ExporterFactory<C>, 'kind'>): ExporterFactory =>
  Object.freeze({ kind: 'exporter', ...factory }) as unknown as ExporterFactory;
export const defineConnector = <C>(factory: Omit<ConnectorFactory<C>, 'kind'>): ConnectorFactory =>
  Object.freeze({ kind: 'connector', ...factory }) as unknown as ConnectorFactory;
export const defineExtension = <C>(factory: Omit<ExtensionFactory<C>, 'kind'>): ExtensionFactory =>
  Object.freeze({ kind: 'extension', ...factory }) as unknown as ExtensionFactory;
