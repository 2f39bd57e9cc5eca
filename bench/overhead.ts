/**
 * What watching costs: CPU per request of an application, with nothing attached and with each tier of the agent switched
 * on in turn, and the agent's own CPU per request, its memory, the latency and the captured share. For an HTTP server
 * (Node.js, nginx), Redis, PostgreSQL, a TLS server and a Go gRPC server, at a fixed rate and at saturation.
 *
 * Method: one server for all rounds; rounds interleave the variants, so that a noisy neighbour hits all of them; each
 * round starts the agent (exporter `nop`), warms up, then takes CPU time from /proc around a run of the load generator.
 * Reported: medians over rounds.
 *
 *     BENCH_SUBJECTS     names to run, by commas ("nginx,redis"); default: all that are installed
 *     BENCH_LOADS        "fixed,saturation"
 *     BENCH_RATE         requests per second of the fixed rate, about (10000)
 *     BENCH_ROUNDS (3)   BENCH_SECONDS (4)   BENCH_WARM_UP (2, seconds)   BENCH_CONNECTIONS (16, of wrk at saturation)
 */
import { startAgent, type Tiers } from './overhead/agent.js';
import { goGrpc } from './overhead/grpc.js';
import { nginx, nodeHttp, nodeTls } from './overhead/http.js';
import { postgres } from './overhead/postgres.js';
import { cpuNs, rssMiB, treeCpuNs } from './overhead/processes.js';
import { redis } from './overhead/redis.js';
import { MissingTool, type Subject, type Target } from './overhead/subject.js';
import { median, printTable } from './report.js';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const WARM_UP = Number(process.env.BENCH_WARM_UP ?? 2);
const RATE = Number(process.env.BENCH_RATE ?? 10_000);
const LOADS = (process.env.BENCH_LOADS ?? 'fixed,saturation').split(',');
const WANTED = process.env.BENCH_SUBJECTS?.toLowerCase().split(',');
const SUBJECTS: readonly Subject[] = [nodeHttp, nginx, nodeTls, redis, postgres, goGrpc];

export interface Variant {
  readonly name: string;
  readonly tiers?: Tiers;
}

const off = 'disabled';
const VARIANTS: readonly Variant[] = [
  { name: 'nothing attached' },
  { name: 'network tier', tiers: { ebpf: { tiers: { scheduler: off, cpu: off } } } },
  {
    name: 'network tier, syscall hooks',
    tiers: { ebpf: { net_hooks: 'syscall', tiers: { scheduler: off, cpu: off } } },
  },
  { name: 'scheduler tier', tiers: { ebpf: { tiers: { network: off, cpu: off } } } },
  { name: 'scheduler and CPU tiers', tiers: { ebpf: { tiers: { network: off } } } },
  { name: 'all tiers and the join', tiers: { ebpf: {}, processors: ['trace_profiling'] } },
];

interface Round {
  readonly targetUs: number;
  readonly agentUs: number;
  readonly perSecond: number;
  readonly p50Us: number | undefined;
  readonly p99Us: number | undefined;
  /** Server spans that left the agent / requests that completed, warm-up included; undefined where none are made. */
  readonly captured: number | undefined;
  readonly lostRecords: number;
  readonly rssMiB: number;
}

export async function run(): Promise<object> {
  const results: object[] = [];
  for (const subject of SUBJECTS) {
    if (WANTED !== undefined && !WANTED.includes(subject.name.toLowerCase())) continue;
    let target: Target;
    try {
      target = await subject.start();
    } catch (error) {
      if (!(error instanceof MissingTool)) throw error;
      console.log(`${subject.name}: left out, ${error.message}\n`);
      results.push({ subject: subject.name, leftOut: error.message });
      continue;
    }
    try {
      await target.load(2, undefined); // lets V8 optimise, fills caches
      for (const load of LOADS) results.push(await compare(subject, target, load));
    } finally {
      await target.stop();
    }
  }
  return { rounds: ROUNDS, seconds: SECONDS, results };
}

/** All variants, interleaved, under one load. */
export async function compare(
  subject: Subject,
  target: Target,
  load: string,
  variants: readonly Variant[] = VARIANTS,
): Promise<object> {
  const rate = load === 'fixed' ? RATE : undefined;
  const rounds = new Map<string, Round[]>(variants.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const variant of variants)
      rounds.get(variant.name)!.push(await measure(subject, variant, target, rate));
  }
  const rows = variants.map(({ name }) => ({ variant: name, ...medians(rounds.get(name)!) }));
  const baseline = rows[0]!.targetUs;
  console.log(`${subject.name}, ${rate === undefined ? 'saturation' : `about ${rate}/s`}:`);
  printTable([
    [
      '',
      'target us/req',
      'added',
      'agent us/req',
      'req/s',
      'p50 us',
      'p99 us',
      'captured %',
      'lost',
      'RSS MiB',
    ],
    ...rows.map((row) => [
      row.variant,
      row.targetUs.toFixed(2),
      (row.targetUs - baseline).toFixed(2),
      row.agentUs.toFixed(2),
      Math.round(row.perSecond),
      row.p50Us?.toFixed(0) ?? '',
      row.p99Us?.toFixed(0) ?? '',
      row.captured === undefined ? '' : (row.captured * 100).toFixed(3),
      row.lostRecords,
      row.rssMiB.toFixed(0),
    ]),
  ]);
  console.log('');
  return { subject: subject.name, load, rate, rows, raw: Object.fromEntries(rounds) };
}

function medians(rounds: readonly Round[]): Round {
  const middle = (pick: (round: Round) => number | undefined): number | undefined => {
    const values = rounds.map(pick).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  };
  return {
    targetUs: middle((round) => round.targetUs)!,
    agentUs: middle((round) => round.agentUs)!,
    perSecond: middle((round) => round.perSecond)!,
    p50Us: middle((round) => round.p50Us),
    p99Us: middle((round) => round.p99Us),
    captured: middle((round) => round.captured),
    lostRecords: middle((round) => round.lostRecords)!,
    rssMiB: middle((round) => round.rssMiB)!,
  };
}

async function measure(
  subject: Subject,
  { tiers }: Variant,
  target: Target,
  rate: number | undefined,
): Promise<Round> {
  const agent = tiers === undefined ? undefined : await startAgent(tiers, target);
  const warmUp = await target.load(WARM_UP, rate);
  const targetBefore = treeCpuNs(target.pid);
  const agentBefore = agent === undefined ? 0 : cpuNs(agent.pid);
  const { requests, p50Us, p99Us } = await target.load(SECONDS, rate);
  const targetNs = treeCpuNs(target.pid) - targetBefore;
  const agentNs = agent === undefined ? 0 : cpuNs(agent.pid) - agentBefore;
  const rss = agent === undefined ? 0 : rssMiB(agent.pid);
  const end = await agent?.stop();
  const network = end !== undefined && (end.spans > 0 || tiers?.processors !== undefined);
  return {
    targetUs: targetNs / requests / 1000,
    agentUs: agentNs / requests / 1000,
    perSecond: requests / SECONDS,
    p50Us,
    p99Us,
    captured: subject.spans && network ? end.spans / (requests + warmUp.requests) : undefined,
    lostRecords: end?.lostRecords ?? 0,
    rssMiB: rss,
  };
}
