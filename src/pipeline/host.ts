import type { Host, ServiceKey } from '../component/component.js';
import type { Logger } from '../telemetry/logger.js';
import type { ComponentIdentity } from '../telemetry/registry.js';
import type { StatusBoard } from './status-board.js';

/** What the components of one graph may ask of the program. */
export class GraphHost implements Host {
  readonly #services = new Map<string, unknown>();
  readonly #logger: Logger;
  readonly #onStop: (reason: string) => void;
  #fatalErrors = 0;

  constructor(logger: Logger, onStop: (reason: string) => void) {
    this.#logger = logger;
    this.#onStop = onStop;
  }

  /** Failures that components reported and could not mend. */
  get fatalErrors(): number {
    return this.#fatalErrors;
  }

  /** The same host for one component, which `board` then knows by what it reports. */
  of(identity: ComponentIdentity, board: StatusBoard): Host {
    return {
      provide: (key, service) => this.provide(key, service),
      service: (key) => this.service(key),
      requestStop: (reason) => this.requestStop(reason),
      reportFatal: (error) => {
        board.set(identity, 'fatal_error', error.message);
        this.reportFatal(error);
      },
      reportStatus: (status, error) => board.set(identity, status, error?.message),
    };
  }

  provide<T>(key: ServiceKey<T>, service: T): void {
    if (this.#services.has(key.name)) throw new Error(`service "${key.name}" is provided twice`);
    this.#services.set(key.name, service);
  }

  service<T>(key: ServiceKey<T>): T | undefined {
    // The key's type parameter is the contract between the one who provides and the one who asks.
    return this.#services.get(key.name) as T | undefined;
  }

  reportFatal(error: Error): void {
    this.#fatalErrors++;
    this.#logger.error('Component failed and can not mend it.', { error: error.message, stack: error.stack });
  }

  requestStop(reason: string): void {
    this.#onStop(reason);
  }
}
