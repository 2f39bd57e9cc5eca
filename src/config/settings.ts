import type {
  AnyFactory,
  ConnectorFactory,
  ExporterFactory,
  ExtensionFactory,
  ProcessorFactory,
  ReceiverFactory,
} from '../component/factory.js';
import type { Signal } from '../component/signal.js';
import type { FeatureGates } from './feature-gates.js';
import type { TelemetryConfig } from './service.js';

/** A component of the file: its factory and its checked settings. */
export interface ComponentEntry<F extends AnyFactory = AnyFactory> {
  /** `type[/name]` as written. */
  readonly id: string;
  readonly factory: F;
  readonly config: unknown;
  /** Equal for equal settings, see `fingerprintOf`. */
  readonly fingerprint: string;
}

export interface PipelineEntry {
  /** `signal[/name]` as written. */
  readonly id: string;
  readonly signal: Signal;
  /** Ids of receivers and connectors. */
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  /** Ids of exporters and connectors. */
  readonly exporters: readonly string[];
}

/** A configuration without errors. References between its parts all resolve. */
export interface CheckedConfig {
  readonly receivers: ReadonlyMap<string, ComponentEntry<ReceiverFactory>>;
  readonly processors: ReadonlyMap<string, ComponentEntry<ProcessorFactory>>;
  readonly exporters: ReadonlyMap<string, ComponentEntry<ExporterFactory>>;
  readonly connectors: ReadonlyMap<string, ComponentEntry<ConnectorFactory>>;
  readonly extensions: ReadonlyMap<string, ComponentEntry<ExtensionFactory>>;
  readonly pipelines: readonly PipelineEntry[];
  /** Ids of `service.extensions`. */
  readonly enabledExtensions: readonly string[];
  readonly telemetry: TelemetryConfig;
  readonly gates: FeatureGates;
  /** Sentences about things that work and will not for ever. */
  readonly warnings: readonly string[];
}
