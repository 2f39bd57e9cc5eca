import type { Host, ServiceKey } from '../component/component.js';
import type { Logger } from '../telemetry/logger.js';
import type { ComponentIdentity } from '../telemetry/registry.js';
import type { ComponentStatus } from './agent-view.js';

interface Offer {
  /** Key of the node that provides it; undefined for the program itself. */
  readonly by: string | undefined;
  readonly service: unknown;
}

/** What components offer each other, and what they may ask of the program. Outlives reloads. */
export class Services {
  readonly #offers = new Map<string, Offer>();
  /** Offers of extensions that have stopped, for those who ask anew each time, until the reload is over. */
  readonly #retired = new Map<string, unknown>();

  provide<T>(key: ServiceKey<T>, service: T, by?: string): void {
    if (this.#offers.has(key.name)) throw new Error(`service "${key.name}" is provided twice`);
    this.#retired.delete(key.name);
    this.#offers.set(key.name, { by, service });
  }

  get(name: string): unknown {
    return this.#offers.has(name) ? this.#offers.get(name)?.service : this.#retired.get(name);
  }

  /** Key of the node that provides `name` now. */
  providerOf(name: string): string | undefined {
    return this.#offers.get(name)?.by;
  }

  has(name: string): boolean {
    return this.#offers.has(name);
  }

  /** Takes back what `node` offers. With `retire` it may still be used until `forgetRetired`. */
  withdraw(node: string, retire: boolean): void {
    for (const [name, offer] of this.#offers) {
      if (offer.by !== node) continue;
      this.#offers.delete(name);
      if (retire) this.#retired.set(name, offer.service);
    }
  }

  forgetRetired(): void {
    this.#retired.clear();
  }
}

/** What the hosts of all nodes share. */
export interface HostTools {
  readonly services: Services;
  readonly logger: Logger;
  readonly setStatus: (identity: ComponentIdentity, status: ComponentStatus, error?: string) => void;
  readonly onStopRequest: (reason: string) => void;
}

/** The host of one node; remembers which services the node holds on to. */
export class NodeHost implements Host {
  readonly #key: string;
  readonly #identity: ComponentIdentity;
  readonly #tools: HostTools;
  readonly #used = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #missed = new Set<string>();
  #state: 'starting' | 'running' | 'gone' = 'starting';

  constructor(key: string, identity: ComponentIdentity, tools: HostTools) {
    this.#key = key;
    this.#identity = identity;
    this.#tools = tools;
  }

  /** Services that the node found when it started and may have kept. */
  get used(): ReadonlySet<string> {
    return this.#used;
  }

  /** Services that it found when it started and asks for anew each time. */
  get asked(): ReadonlySet<string> {
    return this.#asked;
  }

  /** Services that it looked for then and that nobody provided. */
  get missed(): ReadonlySet<string> {
    return this.#missed;
  }

  started(): void {
    this.#state = 'running';
  }

  /** The component has stopped: what it offered goes, what it still reports is nobody's business. */
  gone(): void {
    this.#state = 'gone';
    this.#tools.services.withdraw(this.#key, this.#identity.kind === 'extension');
  }

  provide<T>(key: ServiceKey<T>, service: T): void {
    this.#tools.services.provide(key, service, this.#key);
  }

  service<T>(key: ServiceKey<T>, use?: 'live'): T | undefined {
    if (this.#state === 'starting') {
      const found = this.#tools.services.has(key.name);
      (!found ? this.#missed : use === 'live' ? this.#asked : this.#used).add(key.name);
    }
    // The key's type parameter is the contract between the one who provides and the one who asks.
    return this.#tools.services.get(key.name) as T | undefined;
  }

  reportStatus(status: 'ok' | 'recoverable_error' | 'permanent_error', error?: Error): void {
    if (this.#state !== 'gone') this.#tools.setStatus(this.#identity, status, error?.message);
  }

  reportFatal(error: Error): void {
    if (this.#state !== 'gone') this.#tools.setStatus(this.#identity, 'fatal_error', error.message);
    this.#tools.logger.error('Component failed and can not mend it.', {
      error: error.message,
      stack: error.stack,
    });
  }

  requestStop(reason: string): void {
    this.#tools.onStopRequest(reason);
  }
}
