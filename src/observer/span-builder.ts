/**
 * Exchanges to encoded OTLP: one resource group for each process, cut into batches by size and age.
 *
 * Age is measured by the watermark of the kernel's records and not by a timer, so a replay cuts where the live run did.
 */

import { SpanFlags, SpanKind, StatusCode } from '../otlp/span-constants.js';
import { addNs } from '../otlp/time.js';
import { TracesWriter } from '../otlp/trace-writer.js';
import type { MonoClock } from './join-types.js';
import {
  errorType,
  type QueryPolicy,
  SCHEMA_URL,
  SpanAttributeEncoder,
  spanName,
} from './span-attributes.js';
import { connectionSeed, createIdentity, hasParent, PARENT_ID, SPAN_ID, TRACE_ID } from './span-identity.js';
import type { Exchange, MonoNs, ProcessInfo, ProcessTable } from './types.js';

export interface SpanBatch {
  readonly bytes: Uint8Array;
  readonly itemCount: number;
}

export interface SpanBuilderOptions {
  readonly queryPolicy: QueryPolicy;
  /** `host.name` of the resources, '' to leave it out. */
  readonly hostName: string;
  /** Version of the instrumentation scope. */
  readonly version: string;
  /** A batch leaves when it is this large. */
  readonly batchBytes: number;
  /** … or this old. */
  readonly batchNs: number;
}

const BATCH_BYTES = 1024 * 1024;
const BATCH_NS = 200e6;

/** The usual cut of batches. */
export const spanOptions = (
  queryPolicy: QueryPolicy,
  hostName: string,
  version: string,
): SpanBuilderOptions => ({
  queryPolicy,
  hostName,
  version,
  batchBytes: BATCH_BYTES,
  batchNs: BATCH_NS,
});

export const SCOPE_NAME = 'kindling/ebpf';

interface Group {
  readonly writer: TracesWriter;
  process: ProcessInfo | undefined;
}

export class SpanBuilder {
  readonly #options: SpanBuilderOptions;
  readonly #processes: ProcessTable;
  readonly #clock: MonoClock;
  readonly #groups = new Map<number, Group>();
  readonly #attributes: SpanAttributeEncoder;
  #bytes = 0;
  #items = 0;
  #startedAt: MonoNs = 0;

  constructor(options: SpanBuilderOptions, processes: ProcessTable, clock: MonoClock) {
    this.#options = options;
    this.#processes = processes;
    this.#clock = clock;
    this.#attributes = new SpanAttributeEncoder(options.queryPolicy);
  }

  /** Spans that wait for their batch. */
  get held(): number {
    return this.#items;
  }

  /** Adds a span. `profile`: encoded `Span` fields to append. Returns true when the batch is large enough to leave. */
  add(exchange: Exchange, profile: Uint8Array | undefined, now: MonoNs): boolean {
    const { writer } = this.#groupOf(exchange.tgid);
    const before = writer.sizeBytes;
    const identity =
      exchange.identity ??
      createIdentity(
        connectionSeed('', String(exchange.socketCookie), ''),
        exchange.requestStart,
        exchange.role,
      );
    const attributes = this.#attributes.encode(exchange);
    const startTime = this.#clock.toUnix(exchange.requestStart);
    const end = exchange.responseEnd === 0 ? exchange.requestEnd : exchange.responseEnd;
    const error = errorType(exchange);
    const isServer = exchange.role === 'server';
    const { context } = exchange;
    const remoteParent = isServer && context !== undefined;
    writer.span({
      traceId: identity.subarray(TRACE_ID.start, TRACE_ID.end),
      spanId: identity.subarray(SPAN_ID.start, SPAN_ID.end),
      parentSpanId: hasParent(identity) ? identity.subarray(PARENT_ID.start, PARENT_ID.end) : undefined,
      traceState: context?.state,
      name: spanName(exchange),
      kind: isServer ? SpanKind.server : SpanKind.client,
      startTime,
      endTime: addNs(startTime, Math.max(0, Math.round(end - exchange.requestStart))),
      status: error === undefined ? undefined : { code: StatusCode.error },
      flags:
        (context?.sampled === false ? 0 : SpanFlags.sampled) |
        SpanFlags.hasIsRemote |
        (remoteParent ? SpanFlags.isRemote : 0),
      encodedFields: profile === undefined ? attributes : [...attributes, profile],
    });
    if (this.#items === 0) this.#startedAt = now;
    this.#items++;
    this.#bytes += writer.sizeBytes - before;
    return this.#bytes >= this.#options.batchBytes;
  }

  /** True when what waits is old enough to leave. */
  isDue(now: MonoNs): boolean {
    return this.#items > 0 && now - this.#startedAt >= this.#options.batchNs;
  }

  /** Takes everything that waits; undefined when nothing does. The bytes are the caller's. */
  take(): SpanBatch | undefined {
    if (this.#items === 0) return undefined;
    const parts: Uint8Array[] = [];
    let length = 0;
    for (const [tgid, { writer }] of this.#groups) {
      if (writer.itemCount === 0) {
        // Nothing since the last batch: its process may be gone.
        this.#groups.delete(tgid);
        continue;
      }
      const part = writer.finish();
      parts.push(part);
      length += part.length;
    }
    // Repeated fields of two encoded messages add up when their bytes are put in a row.
    const bytes = parts.length === 1 ? parts[0]! : concatenate(parts, length);
    const itemCount = this.#items;
    this.#items = 0;
    this.#bytes = 0;
    return { bytes, itemCount };
  }

  #groupOf(tgid: number): Group {
    const process = this.#processes.get(tgid);
    let group = this.#groups.get(tgid);
    if (group === undefined) {
      group = { writer: new TracesWriter(), process };
      this.#groups.set(tgid, group);
    } else if (group.writer.itemCount > 0 && group.process === process) return group;
    group.process = process;
    group.writer.resource(this.#resource(tgid, process), SCHEMA_URL);
    group.writer.scope(SCOPE_NAME, this.#options.version, undefined, SCHEMA_URL);
    return group;
  }

  #resource(tgid: number, process: ProcessInfo | undefined): Record<string, string | number | undefined> {
    const executable = process?.executable ?? '';
    return {
      'service.name': process?.serviceName ?? 'unknown_service',
      'process.pid': process?.namespacePid ?? tgid,
      'process.executable.name': executable.slice(executable.lastIndexOf('/') + 1) || process?.comm,
      'process.executable.path': executable || undefined,
      'host.name': this.#options.hostName || undefined,
      ...process?.resourceAttributes,
    };
  }
}

function concatenate(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
