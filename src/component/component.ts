import type { Logger } from '../telemetry/logger.js';
import type { ComponentMetrics } from '../telemetry/metrics.js';
import type { Batch, Signal } from './signal.js';

/**
 * What every component obeys.
 *
 * Order: exporters start first and receivers last; shutdown runs the other way round. `start` returns quickly and
 * rejects loudly; nothing exits the process after it. `shutdown` works without `start` and twice, stops intake,
 * flushes what it holds until `deadline` aborts, counts what it could not flush, and releases every handle.
 */
export interface Component {
  start(host: Host): Promise<void>;
  shutdown(deadline: AbortSignal): Promise<void>;
}

/**
 * Takes batches. The promise resolves when the batch has been accepted: awaiting it is the back-pressure. It rejects
 * with `RetryableError` (the caller may offer the batch again) or `PermanentError` (it must not).
 */
export interface Consumer<S extends Signal = Signal> {
  consume(batch: Batch<S>): Promise<void>;
}

/** Pushes into the consumers that were given at creation. */
export interface Receiver extends Component {
  /**
   * A reload changed which signals have a pipeline: `next` takes the place of what was given at creation. Consumers of
   * signals that stay are the same objects as before. A receiver without this method is restarted instead.
   */
  feed?(next: ReceiverOutputs): void;
}

/** One consumer for each signal that the receiver feeds. */
export type ReceiverOutputs = Partial<Record<Signal, Consumer>>;

export type Processor<S extends Signal = Signal> = Component & Consumer<S>;
export type Exporter<S extends Signal = Signal> = Component & Consumer<S>;
/** Ends one pipeline and feeds another. */
export type Connector<S extends Signal = Signal> = Component & Consumer<S>;
/** No data: health, storage, own pages. */
export type Extension = Component;

/** What a running component may ask of the program around it. */
export interface Host {
  /** Publishes a service under `key` for other components. Throws when the key is taken. */
  provide<T>(key: ServiceKey<T>, service: T): void;
  /**
   * The service published under `key`, or undefined when nothing provides it (yet).
   *
   * A component that asks while it starts is taken to keep the answer: a reload that replaces the provider restarts it
   * as well. With `use: 'live'` it promises to ask anew each time, and stays.
   */
  service<T>(key: ServiceKey<T>, use?: 'live'): T | undefined;
  /** Reports a failure after start that the component cannot mend. The program logs it and keeps running. */
  reportFatal(error: Error): void;
  /**
   * Tells how the component is, for probes and pages: 'ok' after it works (again), an error while it does not.
   * Repeating a status costs little. Hosts of tests may leave it out.
   */
  reportStatus?(status: 'ok' | 'recoverable_error' | 'permanent_error', error?: Error): void;
  /** Asks for an orderly end of the program, for example when a replay is over. */
  requestStop(reason: string): void;
}

/** A typed name for `Host.provide`. Declare one constant beside the service's interface. */
export interface ServiceKey<T> {
  readonly name: string;
  /** Type carrier only; never set. */
  readonly _type?: T;
}

/** The developer side of creation: everything that does not come from the user's file. */
export interface Settings {
  /** `type` or `type/name` as written in the configuration. */
  readonly id: string;
  readonly logger: Logger;
  readonly metrics: ComponentMetrics;
  /** Milliseconds since the epoch; injected so that tests and replay can set the time. */
  readonly now: () => number;
}
