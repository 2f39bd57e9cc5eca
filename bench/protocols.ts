/**
 * What protocols cost: for each, the time of a message (a step of its fuzzing seeds, through recognition, parsing and
 * pairing to the finished exchange), of `describe`, and of rejecting what other protocols send.
 */
import { Conversation, type ConversationShared } from '../src/protocols/conversation.js';
import { ProtocolCounters } from '../src/protocols/counters.js';
import { EndpointMemory } from '../src/protocols/endpoint-memory.js';
import type { WireExchange } from '../src/protocols/exchange.js';
import { PROTOCOLS } from '../src/protocols/list.js';
import { DEFAULT_PROTOCOL_OPTIONS } from '../src/protocols/options.js';
import type { AnyProtocol } from '../src/protocols/protocol.js';
import { ProtocolRegistry } from '../src/protocols/registry.js';
import { SpanFacts } from '../src/protocols/span-facts.js';
import { loadSeeds, type Seed, stepBytes } from '../test/fuzz/protocols/seed.js';
import { printTable } from './report.js';

const ROUND_NS = 60e6;
/** The fastest counts: whatever else the machine does only ever adds. */
const ROUNDS = 7;

interface Loaded {
  readonly protocol: AnyProtocol;
  readonly seeds: readonly Seed[];
}

/** Nanoseconds of CPU for one of the `count` things that `work` does at each call. */
function timeOf(work: () => void, count: number): number {
  const now = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) * 1000;
  };
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = now();
    let calls = 0;
    while (now() - start < ROUND_NS) {
      for (let i = 0; i < 200; i++) work();
      calls += 200;
    }
    best = Math.min(best, (now() - start) / calls / count);
  }
  return best;
}

/** A connection on which a seed's repeatable steps go to and fro; or a new one for each pass when none are. */
function talk(seed: Seed, finished: (exchange: WireExchange, conversation: Conversation) => void) {
  const shared: ConversationShared = {
    registry: new ProtocolRegistry(),
    options: DEFAULT_PROTOCOL_OPTIONS,
    counters: new ProtocolCounters(),
    memory: new EndpointMemory(),
  };
  const ends = {
    transport: seed.transport ?? 'tcp',
    localAddress: '10.0.0.1',
    localPort: 40_000,
    remoteAddress: '10.0.0.2',
    remotePort: 12_345,
  };
  const create = () => {
    const created: Conversation = new Conversation(shared, ends, true, true, {
      finished: (exchange) => finished(exchange, created),
    });
    return created;
  };
  let conversation = create();
  const segments = seed.steps.map((step) => {
    const bytes = stepBytes(step);
    return {
      egress: step[0] === 'client',
      position: 0,
      length: bytes.length,
      bytes,
      start: 0,
      end: bytes.length,
      tail: -1,
      time: 1,
      tgid: 1,
      tid: 1,
    };
  });
  const positions = [0, 0];
  const send = (segment: (typeof segments)[number]) => {
    const direction = segment.egress ? 1 : 0;
    segment.position = positions[direction]!;
    segment.time += 1000;
    conversation.data(segment);
    positions[direction] = (positions[direction]! + segment.length) >>> 0;
  };
  const repeatFrom = seed.repeatFrom ?? 0;
  for (const segment of segments.slice(0, repeatFrom)) send(segment);
  const repeated = segments.slice(repeatFrom);
  return {
    steps: repeated.length,
    once: () => {
      if (seed.repeatFrom === undefined) {
        conversation.close('closed', 0);
        conversation = create();
        positions.fill(0);
      }
      for (const segment of repeated) send(segment);
    },
  };
}

export async function run(): Promise<object> {
  const loaded: Loaded[] = [];
  for (const protocol of PROTOCOLS) loaded.push({ protocol, seeds: await loadSeeds(protocol.name) });
  const rows: (string | number)[][] = [
    ['protocol', 'ns/message', 'ns/describe', 'ns/rejection', 'slowest rejection', 'of'],
  ];
  const figures: Record<string, object> = {};
  for (const { protocol, seeds } of loaded) {
    const some = seeds.filter(({ repeatFrom }) => repeatFrom !== undefined);
    const repeatable = some.length > 0 ? some : seeds;
    const messages: number[] = [];
    let last: WireExchange | undefined;
    let lastEnds: Conversation['ends'] | undefined;
    for (const seed of repeatable) {
      const { steps, once } = talk(seed, (exchange, { ends }) => {
        last = exchange;
        lastEnds = ends;
      });
      messages.push(timeOf(once, steps));
    }
    const facts = new SpanFacts();
    const exchange = last;
    const ends = lastEnds;
    const describeNs =
      exchange === undefined || ends === undefined
        ? Number.NaN
        : timeOf(() => facts.describe(protocol, exchange, ends, 'client', DEFAULT_PROTOCOL_OPTIONS), 1);
    const foreign = loaded
      .filter((other) => other.protocol !== protocol)
      .flatMap((other) =>
        other.seeds.map((seed) => ({ name: other.protocol.name, bytes: stepBytes(seed.steps[0]!) })),
      );
    const noise = Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 197 + 13) & 0xff));
    foreign.push({ name: 'noise', bytes: noise }, { name: 'zeros', bytes: Buffer.alloc(512) });
    const rejections = foreign.map(({ name, bytes }) => ({
      name,
      ns: timeOf(() => protocol.recognise(bytes, 0, bytes.length, 'client'), 1),
    }));
    const mean = rejections.reduce((sum, { ns }) => sum + ns, 0) / rejections.length;
    const slowest = rejections.reduce((a, b) => (b.ns > a.ns ? b : a));
    const perMessage = messages.length === 0 ? Number.NaN : Math.min(...messages);
    rows.push([protocol.name, perMessage, describeNs, mean, slowest.ns, slowest.name]);
    figures[protocol.name] = { messages, describeNs, rejectionNs: mean, slowestRejection: slowest };
  }
  printTable(rows);
  return { protocols: figures };
}
