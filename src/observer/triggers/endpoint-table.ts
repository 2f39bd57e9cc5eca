/** What is learned of each endpoint. The one that was not used for longest makes room for a new one. */
import { LatencySketch } from './latency-sketch.js';
import { TokenBucket } from './token-bucket.js';
import type { TriggerConfig } from './trigger-types.js';

/** Longer names are told apart by their beginnings. */
const MAX_NAME = 200;
const SECONDS_PER_MINUTE = 60;

export interface Endpoint {
  readonly latency: LatencySketch;
  /**
   * Begins empty: where names are many, a new one comes with each span, and none of them is a sample of anything.
   */
  readonly baseline: TokenBucket;
}

export class EndpointTable {
  readonly #config: TriggerConfig;
  readonly #endpoints = new Map<string, Endpoint>();
  /** Endpoints that were forgotten. */
  evicted = 0;

  constructor(config: TriggerConfig) {
    this.#config = config;
  }

  get size(): number {
    return this.#endpoints.size;
  }

  of(service: string, kind: number, name: string): Endpoint {
    const key = `${service.slice(0, MAX_NAME)}\n${kind}\n${name.slice(0, MAX_NAME)}`;
    let endpoint = this.#endpoints.get(key);
    if (endpoint !== undefined) this.#endpoints.delete(key);
    else {
      if (this.#endpoints.size >= this.#config.maxEndpoints) this.#evict();
      endpoint = {
        latency: new LatencySketch(this.#config.minSamples),
        baseline: new TokenBucket(this.#config.baselinePerMinute / SECONDS_PER_MINUTE, 1, 0),
      };
    }
    this.#endpoints.set(key, endpoint);
    return endpoint;
  }

  #evict(): void {
    for (const oldest of this.#endpoints.keys()) {
      this.#endpoints.delete(oldest);
      this.evicted++;
      return;
    }
  }
}
