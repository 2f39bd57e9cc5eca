/**
 * Exchanges of a capture to OTLP batches. A capture knows addresses and no processes, so a resource is an address:
 * `service.name` is the end whose view the spans have.
 *
 * Ids follow the same rules as for live exchanges (`exchange-links.ts`): derived from the connection and the position in
 * its stream; a context on the wire names the client's span, and the parent of the server's.
 */

import { SCHEMA_URL } from '../observer/span-attributes.js';
import type { SpanBatch } from '../observer/span-builder.js';
import {
  connectionSeed,
  createIdentity,
  hasParent,
  PARENT_ID,
  SPAN_ID,
  streamPosition,
  TRACE_ID,
} from '../observer/span-identity.js';
import { receivingRole } from '../observer/wire-exchange.js';
import { writeHex } from '../otlp/ids.js';
import { SpanFlags, SpanKind, StatusCode } from '../otlp/span-constants.js';
import { addNs, type Time64 } from '../otlp/time.js';
import { TracesWriter } from '../otlp/trace-writer.js';
import type { ConversationEnds } from '../protocols/conversation.js';
import type { WireExchange } from '../protocols/exchange.js';
import type { SpanFacts } from '../protocols/span-facts.js';
import { ATTR_INCOMPLETE, ATTR_SOURCE } from '../semconv.js';
import { durationNs, endText } from './exchange-json.js';

const SCOPE_NAME = 'kindling/capture';
const BATCH_BYTES = 1024 * 1024;

export class CaptureSpans {
  readonly #version: string;
  readonly #idSeed: string;
  readonly #byService = new Map<string, TracesWriter>();
  #bytes = 0;
  #items = 0;

  constructor(version: string, idSeed: string) {
    this.#version = version;
    this.#idSeed = idSeed;
  }

  /** `ends`: `local` is the client. Returns true when the batch is large enough to leave. */
  add(exchange: WireExchange, facts: SpanFacts, ends: ConversationEnds, epoch: Time64): boolean {
    const isServer = facts.side === 'server';
    const service = isServer ? endText(ends.remoteAddress, ends.remotePort) : ends.localAddress;
    const writer = this.#writerOf(service);
    const before = writer.sizeBytes;
    const identity = this.#identify(exchange, ends, facts.side);
    const { context, incomplete } = exchange;
    const hasRemoteParent = context !== undefined && receivingRole(facts.side, exchange) === 'server';
    const startTime = addNs(epoch, Math.round(exchange.requestStart));
    facts.put(ATTR_SOURCE, 'capture');
    facts.put(ATTR_INCOMPLETE, incomplete);
    writer.span({
      traceId: identity.subarray(TRACE_ID.start, TRACE_ID.end),
      spanId: identity.subarray(SPAN_ID.start, SPAN_ID.end),
      parentSpanId: hasParent(identity) ? identity.subarray(PARENT_ID.start, PARENT_ID.end) : undefined,
      traceState: context?.state,
      name: facts.name,
      kind: SpanKind[facts.kind],
      startTime,
      endTime: addNs(startTime, durationNs(exchange)),
      status:
        facts.errorType === undefined ? undefined : { code: StatusCode.error, message: facts.statusMessage },
      flags:
        (context?.sampled === false ? 0 : SpanFlags.sampled) |
        SpanFlags.hasIsRemote |
        (hasRemoteParent ? SpanFlags.isRemote : 0),
      attributes: Object.fromEntries(facts.attributes),
    });
    this.#items++;
    this.#bytes += writer.sizeBytes - before;
    return this.#bytes >= BATCH_BYTES;
  }

  /** Takes everything that waits; undefined when nothing does. */
  take(): SpanBatch | undefined {
    if (this.#items === 0) return undefined;
    // Repeated fields of encoded messages add up when their bytes are put in a row.
    const bytes = Buffer.concat([...this.#byService.values()].map((writer) => writer.finish()));
    const itemCount = this.#items;
    this.#byService.clear();
    this.#items = 0;
    this.#bytes = 0;
    return { bytes: new Uint8Array(bytes), itemCount };
  }

  #writerOf(service: string): TracesWriter {
    let writer = this.#byService.get(service);
    if (writer === undefined) {
      writer = new TracesWriter();
      writer.resource({ 'service.name': service }, SCHEMA_URL);
      writer.scope(SCOPE_NAME, this.#version, undefined, SCHEMA_URL);
      this.#byService.set(service, writer);
    }
    return writer;
  }

  #identify(exchange: WireExchange, ends: ConversationEnds, side: 'client' | 'server'): Uint8Array {
    const client = `${ends.localAddress} ${ends.localPort}`;
    const server = `${ends.remoteAddress} ${ends.remotePort}`;
    // A position is of one stream: requests that share it (multiplexed in one frame) differ by their time and protocol.
    const seed = connectionSeed(`${this.#idSeed}|${exchange.requestStart}`, client, server);
    const role = receivingRole(side, exchange);
    const identity = createIdentity(seed, streamPosition(exchange.requestOffset, exchange.pushed), role);
    const { context } = exchange;
    if (context === undefined) return identity;
    writeHex(context.traceId, identity, TRACE_ID.start);
    writeHex(
      context.spanId,
      identity,
      side === 'client' && !exchange.pushed ? SPAN_ID.start : PARENT_ID.start,
    );
    return identity;
  }
}
