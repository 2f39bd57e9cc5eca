/** Plays a capture file: packets to exchanges, in the order of their start. */
import { type Time64, timeFromMs } from '../otlp/time.js';
import type { ConversationEnds, ConversationShared } from '../protocols/conversation.js';
import { ProtocolCounters } from '../protocols/counters.js';
import { EndpointMemory } from '../protocols/endpoint-memory.js';
import type { WireExchange } from '../protocols/exchange.js';
import type { HttpDetail } from '../protocols/http/describe.js';
import type { UrlTemplate, UrlTemplateOptions } from '../protocols/http/url-template.js';
import { UrlTemplates } from '../protocols/http/url-templates.js';
import type { ProtocolOptions } from '../protocols/options.js';
import type { AnyProtocol } from '../protocols/protocol.js';
import type { ProtocolRegistry } from '../protocols/registry.js';
import { SpanFacts } from '../protocols/span-facts.js';
import { CaptureRun } from './capture-run.js';
import { PacketFile } from './packet-file.js';

export interface PlayOptions {
  readonly registry: ProtocolRegistry;
  readonly protocols: ProtocolOptions;
  readonly urlTemplates: UrlTemplateOptions;
  /** Whose view the spans have. */
  readonly side: 'client' | 'server';
}

/** An exchange that was played. `facts` and it are valid during the call; `ends.local` is the client. */
export type TakePlayed = (
  exchange: WireExchange,
  facts: SpanFacts,
  ends: ConversationEnds,
  epoch: Time64,
) => Promise<void> | void;

export interface Played {
  readonly run: CaptureRun;
  readonly counters: ProtocolCounters;
  /** The file ended in the middle of a packet. */
  readonly truncated: boolean;
}

/** Finished exchanges wait here for those that began before them. */
const MAX_SORTED = 65_536;

/** Throws `CaptureFileError` for what is no capture, and the errors of the file system. */
export async function playCapture(
  path: string,
  options: PlayOptions,
  take: TakePlayed,
  signal?: AbortSignal,
): Promise<Played> {
  const counters = new ProtocolCounters();
  const shared: ConversationShared = {
    registry: options.registry,
    options: options.protocols,
    counters,
    memory: new EndpointMemory(),
  };
  const waiting: { exchange: WireExchange; ends: ConversationEnds }[] = [];
  const run = new CaptureRun(shared, (exchange, ends) => waiting.push({ exchange, ends }));
  const facts = new SpanFacts();
  const urls = options.urlTemplates.mode === 'off' ? undefined : new UrlTemplates(options.urlTemplates);
  const deliver = async (count: number) => {
    waiting.sort((a, b) => a.exchange.requestStart - b.exchange.requestStart);
    const epoch = timeFromMs(run.start.seconds * 1000, run.start.nanoseconds);
    for (const { exchange, ends } of waiting.splice(0, count)) {
      const protocol = options.registry.get(exchange.protocol);
      if (protocol === undefined) continue;
      const seen = options.side === 'client' ? ends : turned(ends);
      await take(
        exchange,
        facts.describe(
          protocol,
          exchange,
          seen,
          options.side,
          options.protocols,
          urls === undefined ? undefined : templateOf(urls, protocol, exchange, ends, options.side),
        ),
        ends,
        epoch,
      );
    }
  };
  const file = PacketFile.open(path);
  for await (const packet of file.packets()) {
    if (signal?.aborted === true) break;
    run.packet(packet);
    if (waiting.length >= MAX_SORTED) await deliver(MAX_SORTED / 2);
  }
  run.finish();
  await deliver(waiting.length);
  return { run, counters, truncated: file.truncated };
}

/** A capture knows no services: a server's address stands for one. */
function templateOf(
  urls: UrlTemplates,
  protocol: AnyProtocol,
  { detail }: WireExchange,
  ends: ConversationEnds,
  side: PlayOptions['side'],
): UrlTemplate | undefined {
  if (protocol.convention !== 'http') return undefined;
  return urls.ofDetail(urls.service(`${ends.remoteAddress} ${ends.remotePort}`, side), detail as HttpDetail);
}

const turned = (ends: ConversationEnds): ConversationEnds => ({
  transport: ends.transport,
  localAddress: ends.remoteAddress,
  localPort: ends.remotePort,
  remoteAddress: ends.localAddress,
  remotePort: ends.localPort,
});
