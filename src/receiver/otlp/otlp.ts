import type { AddressInfo } from 'node:net';
import type { Host, Receiver, ReceiverOutputs, Settings } from '../../component/component.js';
import { Intake, requestMemory } from '../../pipeline/intake.js';
import { grpcServerOf, ReceiverServers, requestBudget } from '../../pipeline/receiver-servers.js';
import type { UnaryMethod } from '../../transport/grpc-server.js';
import type { OtlpReceiverConfig } from './config.js';
import { grpcMethods } from './grpc-methods.js';
import { OtlpHttpServer } from './http-server.js';

/** Receives OTLP over gRPC and HTTP. One instance serves all signals that have a pipeline. */
export class OtlpReceiver implements Receiver {
  readonly #settings: Settings;
  readonly #config: OtlpReceiverConfig;
  #intakes: readonly Intake[] = [];
  /** Of the gRPC server, which looks here for each call. */
  readonly #methods = new Map<string, UnaryMethod>();
  readonly #servers: ReceiverServers;
  #http: OtlpHttpServer | undefined;
  readonly #young = requestMemory();

  constructor(settings: Settings, config: OtlpReceiverConfig, next: ReceiverOutputs) {
    this.#settings = settings;
    this.#config = config;
    this.#servers = new ReceiverServers(settings);
    this.feed(next);
  }

  /** Serves the signals of `next`, and answers for others as for services that do not exist. */
  feed(next: ReceiverOutputs): void {
    this.#intakes = (['traces', 'metrics', 'logs', 'profiles'] as const).flatMap((signal) => {
      const consumer = next[signal];
      if (consumer === undefined) return [];
      const existing = this.#intakes.find((intake) => intake.signal === signal);
      return [existing ?? new Intake(signal, consumer, this.#settings, this.#young)];
    });
    this.#methods.clear();
    const keepMetadata = this.#config.protocols.grpc?.include_metadata ?? false;
    for (const [path, method] of grpcMethods(this.#intakes, keepMetadata)) this.#methods.set(path, method);
    this.#http?.serve(this.#intakes);
  }

  /** Where a protocol listens; null before `start` and for a protocol that is off. A path for a unix socket. */
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
        await this.#servers.open('grpc', grpc, host, (parts) =>
          grpcServerOf(grpc, parts, budget, this.#methods),
        );
      }
      if (http !== undefined) {
        this.#http = await this.#servers.open(
          'http',
          http,
          host,
          (parts) => new OtlpHttpServer({ ...parts, config: http, intakes: this.#intakes, budget }),
        );
      }
    } catch (error) {
      await this.shutdown(AbortSignal.abort());
      throw error;
    }
  }

  shutdown(deadline: AbortSignal): Promise<void> {
    return this.#servers.shutdown(deadline);
  }
}
