/**
 * What watching costs: CPU per request of a plain Node HTTP server under wrk, with nothing attached and with each tier
 * of the agent switched on in turn, and the agent's own CPU per exchange, its memory and its captured share.
 *
 * Method: one server for the whole run; rounds interleave the variants, so that a noisy neighbour hits all of them;
 * each round starts the agent (exporter `nop`), warms up, then takes CPU time from /proc/PID/task/TID/schedstat around a
 * wrk run. Reported: medians over rounds. BENCH_ROUNDS (5), BENCH_SECONDS (4), BENCH_CONNECTIONS (16).
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { median, printTable } from './report.js';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const CONNECTIONS = Number(process.env.BENCH_CONNECTIONS ?? 16);
const READY = 'Everything is ready.';

export interface Variant {
  readonly name: string;
  /** Settings of the `ebpf` receiver; undefined: no agent. */
  readonly ebpf?: object;
  readonly processors?: readonly string[];
}

const off = 'disabled';
const VARIANTS: readonly Variant[] = [
  { name: 'nothing attached' },
  { name: 'network tier', ebpf: { tiers: { scheduler: off, cpu: off } } },
  {
    name: 'network tier, syscall hooks',
    ebpf: { net_hooks: 'syscall', tiers: { scheduler: off, cpu: off } },
  },
  { name: 'scheduler and CPU tiers', ebpf: { tiers: { network: off } } },
  { name: 'all tiers and the join', ebpf: {}, processors: ['trace_profiling'] },
];

interface Round {
  readonly serverUsPerRequest: number;
  readonly agentUsPerRequest: number;
  readonly requestsPerSecond: number;
  /** Server spans that left the agent / requests that wrk completed, warm-up included. */
  readonly capturedShare: number;
  readonly agentRssMiB: number;
}

export const run = (): Promise<object> => compare('http', 'http-server.mjs', VARIANTS);

/** Measures `variants` on one of bench/programs, which prints its port. */
export async function compare(
  scheme: 'http' | 'https',
  program: string,
  variants: readonly Variant[],
): Promise<object> {
  const server = spawn(process.execPath, [`bench/programs/${program}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(server.stdout!.setEncoding('utf8'), 'data')) as [string];
  const url = `${scheme}://127.0.0.1:${Number(line.trim())}/orders/42`;
  const rounds = new Map<string, Round[]>(variants.map(({ name }) => [name, []]));
  try {
    await wrk(url, 2); // lets V8 optimise the server
    for (let round = 0; round < ROUNDS; round++) {
      for (const variant of variants)
        rounds.get(variant.name)!.push(await measure(variant, server.pid!, url));
    }
  } finally {
    server.kill();
  }
  const rows = variants.map(({ name }) => summarise(name, rounds.get(name)!));
  const baseline = rows[0]!.serverUsPerRequest;
  printTable([
    [
      'variant',
      'server us/request',
      'added',
      'agent us/request',
      'requests/s',
      'captured %',
      'agent RSS MiB',
    ],
    ...rows.map((row) => [
      row.variant,
      row.serverUsPerRequest.toFixed(2),
      (row.serverUsPerRequest - baseline).toFixed(2),
      row.agentUsPerRequest.toFixed(2),
      Math.round(row.requestsPerSecond),
      (row.capturedShare * 100).toFixed(3),
      row.agentRssMiB.toFixed(0),
    ]),
  ]);
  return {
    rounds: ROUNDS,
    seconds: SECONDS,
    connections: CONNECTIONS,
    rows,
    raw: Object.fromEntries(rounds),
  };
}

function summarise(variant: string, rounds: readonly Round[]) {
  const middle = (pick: (round: Round) => number) => median(rounds.map(pick));
  return {
    variant,
    serverUsPerRequest: middle((round) => round.serverUsPerRequest),
    agentUsPerRequest: middle((round) => round.agentUsPerRequest),
    requestsPerSecond: middle((round) => round.requestsPerSecond),
    capturedShare: middle((round) => round.capturedShare),
    agentRssMiB: middle((round) => round.agentRssMiB),
  };
}

async function measure(variant: Variant, serverPid: number, url: string): Promise<Round> {
  const agent = variant.ebpf ? await startAgent(variant, serverPid) : undefined;
  const warmUp = await wrk(url, 1);
  const serverBefore = cpuNs(serverPid);
  const agentBefore = agent ? cpuNs(agent.child.pid!) : 0;
  const requests = await wrk(url, SECONDS);
  const serverNs = cpuNs(serverPid) - serverBefore;
  const agentNs = agent ? cpuNs(agent.child.pid!) - agentBefore : 0;
  const agentRssMiB = agent ? rssMiB(agent.child.pid!) : 0;
  const spans = agent ? await agent.stop() : 0;
  return {
    serverUsPerRequest: serverNs / requests / 1000,
    agentUsPerRequest: agentNs / requests / 1000,
    requestsPerSecond: requests / SECONDS,
    capturedShare: spans / (requests + warmUp),
    agentRssMiB,
  };
}

/** Starts the agent watching one process only; `stop` gives the spans that reached its exporter. */
async function startAgent(
  variant: Variant,
  pid: number,
): Promise<{ child: ChildProcess; stop(): Promise<number> }> {
  const directory = mkdtempSync(join(tmpdir(), 'kindling-bench-'));
  const file = join(directory, 'config.json');
  const processors = variant.processors ?? [];
  writeFileSync(
    file,
    JSON.stringify({
      receivers: { ebpf: { targets: { default: 'none', include: { pids: [pid] } }, ...variant.ebpf } },
      processors: Object.fromEntries(processors.map((name) => [name, null])),
      exporters: { nop: null },
      service: { pipelines: { traces: { receivers: ['ebpf'], processors, exporters: ['nop'] } } },
    }),
  );
  const child = spawn('bin/kindling', ['--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes(READY)) resolve();
    });
    child.on('close', (code) => reject(new Error(`the agent ended with ${code}:\n${log}`)));
  });
  await ready;
  return {
    child,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'close');
      rmSync(directory, { recursive: true, force: true });
      // The accounting table: "exporter nop (traces)  traces  <received> ...".
      const received = /^exporter nop \(traces\)\s+traces\s+(\d+)/m.exec(log)?.[1];
      if (received === undefined)
        throw new Error(`no accounting of the exporter in the agent's log:\n${log}`);
      return Number(received);
    },
  };
}

/** Completed requests. */
async function wrk(url: string, seconds: number): Promise<number> {
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, url];
  const { stdout } = await promisify(execFile)('wrk', args);
  const requests = /(\d+) requests in/.exec(stdout)?.[1];
  if (requests === undefined) throw new Error(`wrk printed no count:\n${stdout}`);
  return Number(requests);
}

/** CPU time of all threads that live now. */
function cpuNs(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).reduce(
    (sum, tid) => sum + Number(readFileSync(`${tasks}/${tid}/schedstat`, 'utf8').split(' ')[0]),
    0,
  );
}

const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
