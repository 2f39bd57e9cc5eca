/**
 * Version 2 over gRPC: `grpc.health.v1.Health` with `Check` and `Watch`
 * (https://github.com/grpc/grpc/blob/v1.74.0/src/proto/grpc/health/v1/health.proto). The service '' is everything, others
 * are pipelines. Both messages have one field, so that they are written and read here.
 *
 *     HealthCheckRequest   1: string service
 *     HealthCheckResponse  1: enum status
 */
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { parseEndpoint } from '../../config/fields.js';
import { field, WireReader } from '../../otlp/wire-reader.js';
import { putVarint, varintSize } from '../../otlp/wire-writer.js';
import { hostPort } from '../../transport/listen.js';

/** `ServingStatus` of the protocol. */
export const SERVING = 1;
export const NOT_SERVING = 2;
export const SERVICE_UNKNOWN = 3;
export type Serving = typeof SERVING | typeof NOT_SERVING;

/** An error heals or becomes serious with time alone; watchers look again this often, milliseconds. */
const LOOK_AGAIN_MS = 1000;

export interface GrpcHealthSource {
  /** Undefined: there is no such pipeline. */
  readonly servingOf: (service: string) => Serving | undefined;
  /** Calls back after each change; returns what ends that. */
  readonly watch: (onChange: () => void) => () => void;
}

/** The part of a request that counts. */
interface Request {
  readonly service: string;
}

type Answer = Serving | typeof SERVICE_UNKNOWN;

/** Paths and codecs, for servers and clients. */
export const HEALTH_SERVICE = {
  Check: method('/grpc.health.v1.Health/Check', false),
  Watch: method('/grpc.health.v1.Health/Watch', true),
} satisfies ServiceDefinition;

export class GrpcHealth {
  readonly #source: GrpcHealthSource;
  readonly #server = new Server();
  readonly #watchers = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;
  /** Where it listens, once `start` has resolved. */
  address: { readonly address: string; readonly port: number } | null = null;

  constructor(source: GrpcHealthSource) {
    this.#source = source;
    const check: handleUnaryCall<Request, Answer> = ({ request: { service } }, answer) => {
      const serving = source.servingOf(service);
      if (serving === undefined) answer({ code: status.NOT_FOUND, details: 'unknown service' });
      else answer(null, serving);
    };
    const watch: handleServerStreamingCall<Request, Answer> = (call) => this.#watch(call);
    this.#server.addService(HEALTH_SERVICE, { Check: check, Watch: watch });
  }

  /** Rejects when the address can't be bound. */
  async start(endpoint: string): Promise<void> {
    const { host, port } = parseEndpoint(endpoint);
    const address = host === '' ? '0.0.0.0' : host === 'localhost' ? '127.0.0.1' : host;
    const where = hostPort(address, port);
    const bound = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(where, ServerCredentials.createInsecure(), (error, actual) => {
        if (error === null) resolve(actual);
        else reject(new Error(`listen tcp ${where}: bind: ${reasonOf(error)}`, { cause: error }));
      });
    });
    this.address = { address, port: bound };
    this.#unwatch = this.#source.watch(() => this.#look());
  }

  /** Ends all streams. Never rejects. */
  async shutdown(): Promise<void> {
    this.#unwatch?.();
    clearInterval(this.#timer);
    this.#watchers.clear();
    this.#server.forceShutdown();
  }

  /** Tells how `service` is, now and after each change. */
  #watch(call: ServerWritableStream<Request, Answer>): void {
    let last: Answer | undefined;
    const look = (): void => {
      const now = this.#source.servingOf(call.request.service) ?? SERVICE_UNKNOWN;
      if (now === last) return;
      last = now;
      call.write(now);
    };
    this.#watchers.add(look);
    this.#timer ??= setInterval(() => this.#look(), LOOK_AGAIN_MS).unref();
    const leave = (): void => {
      this.#watchers.delete(look);
      if (this.#watchers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
    call.on('cancelled', leave).on('close', leave).on('error', leave);
    look();
  }

  #look(): void {
    for (const look of this.#watchers) look();
  }
}

function method(path: string, responseStream: boolean) {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: ({ service }: Request): Buffer => {
      const text = Buffer.from(service);
      const head = Buffer.alloc(1 + varintSize(text.length));
      head[0] = field.delimited(1);
      putVarint(head, 1, text.length);
      return Buffer.concat([head, text]);
    },
    requestDeserialize: (bytes: Buffer): Request => {
      const reader = new WireReader(bytes);
      let service = '';
      for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
        if (tag === field.delimited(1)) service = reader.text();
      }
      return { service };
    },
    responseSerialize: (answer: Answer): Buffer => Buffer.from([field.varint(1), answer]),
    responseDeserialize: (bytes: Buffer): Answer => (bytes[1] ?? 0) as Answer,
  };
}

const reasonOf = (error: Error): string =>
  /EADDRINUSE/.test(error.message) ? 'address already in use' : error.message;
