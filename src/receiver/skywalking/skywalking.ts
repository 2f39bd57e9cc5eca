import type { AddressInfo } from 'node:net';
import type { Host, Receiver, ReceiverOutputs, Settings } from '../../component/component.js';
import type { Signal } from '../../component/signal.js';
import type { HttpServerConfig } from '../../config/server-fields.js';
import { Intake, requestMemory } from '../../pipeline/intake.js';
import { grpcServerOf, ReceiverServers, requestBudget } from '../../pipeline/receiver-servers.js';
import type { ByteBudget } from '../../transport/byte-budget.js';
import { bodyLimitsOf, HttpListener } from '../../transport/http-listener.js';
import type { SkywalkingReceiverConfig } from './config.js';
import { handleSegments } from './http-segments.js';
import { type Intakes, skywalkingServices } from './services.js';

/** Receives what agents of SkyWalking send, and answers what keeps them connected. */
export class SkywalkingReceiver implements Receiver {
  readonly #settings: Settings;
  readonly #config: SkywalkingReceiverConfig;
  readonly #intakes: Intakes;
  readonly #servers: ReceiverServers;

  constructor(settings: Settings, config: SkywalkingReceiverConfig, next: ReceiverOutputs) {
    this.#settings = settings;
    this.#config = config;
    this.#servers = new ReceiverServers(settings);
    const memory = requestMemory();
    const intakeOf = (signal: Signal): Intake | undefined => {
      const consumer = next[signal];
      return consumer === undefined ? undefined : new Intake(signal, consumer, settings, memory);
    };
    this.#intakes = { traces: intakeOf('traces'), metrics: intakeOf('metrics'), logs: intakeOf('logs') };
  }

  /** Where a protocol listens; null before `start` and for one that is off. A path for a unix socket. */
  address(protocol: 'grpc' | 'http'): AddressInfo | string | null {
    return this.#servers.address(protocol);
  }

  /** Rejects when a certificate can't be read or an address can't be bound; nothing listens then. */
  async start(host: Host): Promise<void> {
    const { grpc, http } = this.#config.protocols;
    this.#settings.metrics.gauge('transports', [grpc, http].filter((one) => one !== undefined).length);
    const budget = requestBudget(host, this.#config.max_in_flight_mib);
    try {
      if (grpc !== undefined) {
        const methods = skywalkingServices({
          intakes: this.#intakes,
          keepMetadata: grpc.include_metadata,
          now: this.#settings.now,
        });
        await this.#servers.open('grpc', grpc, host, (parts) => grpcServerOf(grpc, parts, budget, methods));
      }
      if (http !== undefined) await this.#openHttp(http, host, budget);
    } catch (error) {
      await this.shutdown(AbortSignal.abort());
      throw error;
    }
  }

  shutdown(deadline: AbortSignal): Promise<void> {
    return this.#servers.shutdown(deadline);
  }

  async #openHttp(config: HttpServerConfig, host: Host, budget: ByteBudget): Promise<void> {
    await this.#servers.open('http', config, host, (parts) => {
      const listener: HttpListener = new HttpListener({
        ...parts,
        config,
        handle: (request, response) => void handleSegments(request, response, options),
      });
      const options = {
        intake: this.#intakes.traces,
        limits: bodyLimitsOf(config, budget),
        connectionOf: listener.connectionOf.bind(listener),
        keepMetadata: config.include_metadata,
        onBug: (error: unknown) => this.#onBug(error),
      };
      return listener;
    });
  }

  #onBug(error: unknown): void {
    this.#settings.logger.error('Reading a request failed in an unexpected way. The client has been told.', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}
