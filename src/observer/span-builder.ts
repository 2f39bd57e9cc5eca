/**
 * Exchanges to encoded OTLP: one resource group for each process, cut into batches by size and age.
 *
 * Age is measured by the watermark of the kernel's records and not by a timer, so a replay cuts where the live run did.
 */

import { DEFAULT_PROTOCOL_OPTIONS, type ProtocolOptions } from '../protocols/options.js';
import { SpanFacts } from '../protocols/span-facts.js';
import { ATTR_INCOMPLETE, ATTR_SOURCE } from '../semconv.js';
import { ExchangeSpanWriter, type SpanJob } from './exchange-span-writer.js';
import type { MonoClock } from './join-types.js';
import { type QueryPolicy, SCHEMA_URL, SpanAttributeEncoder } from './span-attributes.js';
import { connectionSeed, createIdentity } from './span-identity.js';
import type { Exchange, MonoNs, ProcessInfo, ProcessTable } from './types.js';
import { receivingRole } from './wire-exchange.js';

export interface SpanBatch {
  readonly bytes: Uint8Array;
  readonly itemCount: number;
}

export interface SpanBuilderOptions {
  readonly queryPolicy: QueryPolicy;
  /** What spans of other protocols may show. */
  readonly protocols: ProtocolOptions;
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
  protocols: ProtocolOptions = { ...DEFAULT_PROTOCOL_OPTIONS, urlQuery: queryPolicy },
): SpanBuilderOptions => ({
  queryPolicy,
  protocols,
  hostName,
  version,
  batchBytes: BATCH_BYTES,
  batchNs: BATCH_NS,
});

export const SCOPE_NAME = 'kindling/ebpf';

interface Group {
  readonly writer: ExchangeSpanWriter;
  process: ProcessInfo | undefined;
  /** The process may be another one by now: ask again. */
  stale: boolean;
}

export class SpanBuilder {
  readonly #options: SpanBuilderOptions;
  readonly #processes: ProcessTable;
  readonly #clock: MonoClock;
  readonly #groups = new Map<number, Group>();
  readonly #attributes: SpanAttributeEncoder;
  readonly #facts = new SpanFacts();
  #job: SpanJob | undefined;
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
    const identity = exchange.identity ?? identityOf(exchange);
    const startTime = this.#clock.toUnix(exchange.requestStart);
    const facts = exchange.wire === undefined ? undefined : this.#describe(exchange, exchange.wire);
    const job = this.#job;
    if (job === undefined) {
      this.#job = { exchange, facts, identity, startTime, profile, attributes: this.#attributes };
    } else {
      job.exchange = exchange;
      job.facts = facts;
      job.identity = identity;
      job.startTime = startTime;
      job.profile = profile;
    }
    writer.exchange(this.#job!);
    if (this.#items === 0) this.#startedAt = now;
    this.#items++;
    this.#bytes += writer.sizeBytes - before;
    return this.#bytes >= this.#options.batchBytes;
  }

  /** True when what waits is old enough to leave. */
  isDue(now: MonoNs): boolean {
    return this.#items > 0 && now - this.#startedAt >= this.#options.batchNs;
  }

  /** The process has replaced its image or ended: what is known of it is read anew for its next span. */
  processChanged(tgid: number): void {
    const group = this.#groups.get(tgid);
    if (group !== undefined) group.stale = true;
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

  #describe(
    exchange: Exchange,
    { protocol, ends, exchange: wire }: NonNullable<Exchange['wire']>,
  ): SpanFacts {
    const facts = this.#facts.describe(
      protocol,
      wire,
      ends,
      receivingRole(exchange.role, wire),
      this.#options.protocols,
      exchange.urlTemplate,
    );
    facts.put(ATTR_SOURCE, 'kernel');
    facts.put(ATTR_INCOMPLETE, exchange.incomplete);
    return facts;
  }

  #groupOf(tgid: number): Group {
    let group = this.#groups.get(tgid);
    // Once for each batch and change: not all changes are told, and a look-up costs as much as a span.
    if (group !== undefined && !group.stale && group.writer.itemCount > 0) return group;
    const process = this.#processes.get(tgid);
    if (group === undefined) {
      group = { writer: new ExchangeSpanWriter(), process, stale: false };
      this.#groups.set(tgid, group);
    } else {
      group.stale = false;
      if (group.writer.itemCount > 0 && group.process === process) return group;
    }
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

const identityOf = ({ socketCookie, requestStart, role }: Exchange): Uint8Array =>
  createIdentity(connectionSeed('', String(socketCookie), ''), requestStart, role);

function concatenate(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
