/**
 * What the observer costs per kernel record: synthetic slabs of the records of loopback HTTP requests (four for each
 * request: both ends, both directions), decoded, paired, built into spans. No kernel, no thread.
 */

import { printTable } from '/work/wt/agent-cost/bench/report.js';
import { DEFAULT_LIMITS } from '/work/wt/agent-cost/src/observer/connections.js';
import type { CreateJoinEngine } from '/work/wt/agent-cost/src/observer/join-types.js';
import { Observer } from '/work/wt/agent-cost/src/observer/observer.js';
import { DEFAULT_JOIN } from '/work/wt/agent-cost/src/observer/observer-service.js';
import { createPassThroughEngine } from '/work/wt/agent-cost/src/observer/pass-through-engine.js';
import { spanOptions } from '/work/wt/agent-cost/src/observer/span-builder.js';
import type { ProcessInfo, ProcessTable, Symbolizer } from '/work/wt/agent-cost/src/observer/types.js';
import { NOP_LOGGER } from '/work/wt/agent-cost/src/telemetry/logger.js';
import { KernelModel } from '/work/wt/agent-cost/test/helpers/kernel-model.js';
import { slab } from '/work/wt/agent-cost/test/helpers/kernel-records.js';

const CONNECTIONS = 64;
const REQUESTS = 40_000;
/** The fastest counts: whatever else the machine does only ever adds. */
const ROUNDS = 30;

const PLAIN = 'GET /items?id=7 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n';
const TRACED = `GET /items/7?full=1 HTTP/1.1\r\nHost: shop.internal:8080\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: application/json\r\nAccept-Encoding: gzip, deflate\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nConnection: keep-alive\r\n\r\n`;
const RESPONSE =
  'HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 5\r\n\r\nhello';

/** Slabs as the reader thread fills them: as many records as fit. */
function slabsOf(request: string): { slabs: Uint8Array[]; records: number } {
  const slabs: Uint8Array[] = [];
  let waiting: Buffer[] = [];
  let bytes = 0;
  let records = 0;
  const flush = () => {
    if (waiting.length > 0) slabs.push(slab(waiting));
    waiting = [];
    bytes = 0;
  };
  const model = new KernelModel({
    onRecord: (record) => {
      if (bytes + record.length > 128 * 1024) flush();
      waiting.push(record);
      bytes += record.length;
      records++;
    },
  });
  const pairs = Array.from({ length: CONNECTIONS }, (_, i) =>
    model.connect(['127.0.0.1', 40_000 + i], ['127.0.0.1', 8080]),
  );
  for (let i = 0; i < REQUESTS; i++) {
    const { client, server } = pairs[i % CONNECTIONS]!;
    client.send(request);
    server.receive(request);
    server.send(RESPONSE);
    client.receive(RESPONSE);
  }
  flush();
  return { slabs, records };
}

const PROCESS: ProcessInfo = {
  tgid: 100,
  startTicks: 1,
  comm: 'node',
  executable: '/usr/bin/node',
  commandLine: ['node', 'server.js'],
  serviceName: 'shop',
  resourceAttributes: {},
  namespacePid: 100,
};
const processes: ProcessTable = {
  get: () => PROCESS,
  threadName: () => 'node',
  filePath: () => undefined,
  socketOwner: () => undefined,
  invalidate: () => {},
};
const symbolizer: Symbolizer = { user: () => [], kernel: () => [] };

/** Takes exchanges and makes no spans of them: what remains is decoding, connections and HTTP. */
const withoutSpans: CreateJoinEngine = (dependencies) => ({
  ...createPassThroughEngine(dependencies),
  exchange: () => {},
});

function round(slabs: readonly Uint8Array[], createEngine: CreateJoinEngine): { ns: number; spans: number } {
  let spans = 0;
  const observer = new Observer(
    {
      limits: DEFAULT_LIMITS,
      spans: spanOptions('redacted', 'host', '0.0.0'),
      idSeed: 'bench',
      join: DEFAULT_JOIN,
    },
    {
      processes,
      symbolizer,
      createEngine,
      output: {
        spans: ({ itemCount }) => {
          spans += itemCount;
        },
        answer: () => {},
      },
      log: NOP_LOGGER,
    },
  );
  const start = process.cpuUsage();
  for (const bytes of slabs) observer.records(bytes, bytes.length);
  observer.flush();
  const { user, system } = process.cpuUsage(start);
  return { ns: (user + system) * 1000, spans };
}

export async function run(): Promise<object> {
  const figures: Record<string, { nsPerRecord: number; spans: number }> = {};
  for (const [name, request] of [
    ...(process.env.K === 't' ? [] : [['plain request', PLAIN] as const]),
    ...(process.env.K === 'p' ? [] : [['traced request', TRACED] as const]),
  ] as const) {
    const { slabs, records } = slabsOf(request);
    for (const [stage, engine] of [
      ...(process.env.S === '1' ? [] : [['decode, connections, HTTP', withoutSpans] as const]),
      ['and spans', createPassThroughEngine],
    ] as const) {
      const rounds = Array.from({ length: ROUNDS }, () => round(slabs, engine)).slice(1);
      figures[`${name}: ${stage}`] = {
        nsPerRecord: Math.min(...rounds.map(({ ns }) => ns / records)),
        spans: rounds[0]!.spans,
      };
    }
  }
  printTable([
    ['', 'ns per record', 'spans'],
    ...Object.entries(figures).map(([name, { nsPerRecord, spans }]) => [name, nsPerRecord, spans]),
  ]);
  return { figures };
}
