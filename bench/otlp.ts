/**
 * The pipelines beside a real Collector: spans per CPU-second of the process under test, latency of requests, peak
 * memory, losses; `otlp -> nop` and `otlp -> memory_limiter -> batch -> otlp_grpc -> sink`.
 *
 * Method: one process for each program and pipeline, all started once and warmed up; load from a generator and, behind
 * the full pipelines, a sink in processes of their own. In each round each case runs on both programs, one right after
 * the other and in turns first, so that what else the machine does hits both. CPU time is user + system of the process
 * under test, from the first request until the sink has everything. The generator has one request at a time on each
 * connection, so the load is what the program takes. Reported: medians over rounds; of memory the highest, which
 * contains what the allocator kept from cases before (large spans most of all: run a case alone to judge it).
 *
 * BENCH_ROUNDS (3), BENCH_SECONDS (1.5), BENCH_MATRIX (`short` or `all`), BENCH_CASES (a pattern for their names),
 * BENCH_PROGRAMS (`kindling,collector`), BENCH_NODE_FLAGS (for Kindling, for example `--cpu-prof`).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { collectorMissing } from '../test/helpers/otlp/collector.js';
import { type Case, casesOf, nameOf } from './otlp/cases.js';
import type { LoadOrder, LoadResult, SinkMessage } from './otlp/messages.js';
import { type Pipeline, PROGRAMS, type Program, type Subject, startSubject } from './otlp/subject.js';
import { median, printTable } from './report.js';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const LOAD_MS = Number(process.env.BENCH_SECONDS ?? 1.5) * 1000;
/** With less, V8 still compiles while it is measured, and the more so the busier the machine is. */
const WARM_UP_MS = 10_000;
/** After the load: how long the sink's count may stand still before what is missing counts as lost. */
const PATIENCE_MS = 3000;

interface Round {
  readonly spansPerCpuSecond: number;
  readonly spansPerSecond: number;
  /** Of one core. */
  readonly cpuShare: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly peakRssMiB: number;
  readonly lostSpans: number;
  readonly failedRequests: number;
  readonly bytesPerSpan: number;
}

export async function run(): Promise<object> {
  const pattern = new RegExp(process.env.BENCH_CASES ?? '');
  const cases = casesOf(process.env.BENCH_MATRIX ?? 'short').filter((one) => pattern.test(nameOf(one)));
  const programs = programsToRun();
  const bench = await Bench.start(programs, [...new Set(cases.map(({ pipeline }) => pipeline))]);
  const rounds = new Map<string, Round[]>();
  try {
    await bench.warmUp(cases);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, one] of cases.entries()) {
        const order = (round + index) % 2 === 0 ? programs : programs.toReversed();
        for (const program of order) {
          const key = `${program} ${nameOf(one)}`;
          rounds.set(key, [...(rounds.get(key) ?? []), await bench.measure(program, one)]);
        }
      }
    }
  } finally {
    await bench.stop();
  }
  const rows = cases.flatMap((one) =>
    programs.map((program) => summarise(program, one, rounds.get(`${program} ${nameOf(one)}`)!)),
  );
  print(cases, rows);
  return { rounds: ROUNDS, loadMs: LOAD_MS, rows, raw: Object.fromEntries(rounds) };
}

function programsToRun(): Program[] {
  const wanted = (process.env.BENCH_PROGRAMS ?? PROGRAMS.join(',')).split(',');
  const missing = collectorMissing();
  if (!existsSync('dist/main.js')) throw new Error('dist/ is missing: run `npm run build` first');
  if (missing !== undefined) console.log(`Without a Collector: ${missing}.`);
  return PROGRAMS.filter(
    (program) => wanted.includes(program) && !(program === 'collector' && missing !== undefined),
  );
}

class Bench {
  readonly #sink: ChildProcess;
  readonly #generator: ChildProcess;
  readonly #subjects: readonly Subject[];

  private constructor(sink: ChildProcess, generator: ChildProcess, subjects: readonly Subject[]) {
    this.#sink = sink;
    this.#generator = generator;
    this.#subjects = subjects;
  }

  static async start(programs: readonly Program[], pipelines: readonly Pipeline[]): Promise<Bench> {
    const sink = forkScript('./otlp/sink.ts');
    const [listening] = (await once(sink, 'message')) as [SinkMessage];
    if (listening.kind !== 'listening') throw new Error('the sink said something else first');
    const nodeFlags = (process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
    const subjects: Subject[] = [];
    for (const program of programs) {
      for (const pipeline of pipelines) {
        subjects.push(await startSubject(program, pipeline, listening.port, nodeFlags));
      }
    }
    return new Bench(sink, forkScript('./otlp/generator.ts'), subjects);
  }

  /** Each pipeline of each program once with each protocol, so that V8 has compiled what will be measured. */
  async warmUp(cases: readonly Case[]): Promise<void> {
    for (const subject of this.#subjects) {
      const own = cases.filter(({ pipeline }) => pipeline === subject.pipeline);
      for (const one of new Map(own.map((each) => [each.protocol, each])).values()) {
        await this.#load(subject, one, WARM_UP_MS);
      }
    }
    await this.#settle(Number.POSITIVE_INFINITY);
  }

  async measure(program: Program, one: Case): Promise<Round> {
    const subject = this.#subjects.find(
      (each) => each.program === program && each.pipeline === one.pipeline,
    )!;
    const seenBefore = await this.#seen();
    subject.resetPeak();
    const cpuBefore = subject.cpuSeconds();
    const start = performance.now();
    const result = await this.#load(subject, one, LOAD_MS);
    const seconds = (performance.now() - start) / 1000;
    const hasSink = one.pipeline !== 'nop';
    const seen = hasSink ? (await this.#settle(seenBefore + result.acceptedSpans)) - seenBefore : 0;
    const cpuSeconds = subject.cpuSeconds() - cpuBefore;
    if (result.failure !== '') console.log(`${program} ${nameOf(one)}: ${result.failure}`);
    return {
      spansPerCpuSecond: result.acceptedSpans / cpuSeconds,
      spansPerSecond: result.acceptedSpans / seconds,
      cpuShare: cpuSeconds / seconds,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      peakRssMiB: subject.peakRssBytes() / 2 ** 20,
      lostSpans: hasSink ? result.acceptedSpans - seen : 0,
      failedRequests: result.failedRequests,
      bytesPerSpan: result.bytesPerSpan,
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subjects.map((subject) => subject.stop()));
    this.#sink.disconnect();
    this.#generator.disconnect();
  }

  async #load(subject: Subject, one: Case, milliseconds: number): Promise<LoadResult> {
    const port = one.protocol === 'grpc' ? subject.grpcPort : subject.httpPort;
    const order: LoadOrder = { kind: 'load', port, milliseconds, ...one };
    this.#generator.send(order);
    const [result] = (await once(this.#generator, 'message')) as [LoadResult];
    return result;
  }

  /** Waits until the sink has seen `expected` spans, or nothing new for a while; gives what it has seen. */
  async #settle(expected: number): Promise<number> {
    let seen = await this.#seen();
    for (let since = performance.now(); seen < expected && performance.now() - since < PATIENCE_MS; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const now = await this.#seen();
      if (now > seen) since = performance.now();
      seen = now;
    }
    return seen;
  }

  async #seen(): Promise<number> {
    this.#sink.send({ kind: 'ask' });
    const [answer] = (await once(this.#sink, 'message')) as [SinkMessage];
    if (answer.kind !== 'seen') throw new Error('the sink answered something else');
    return answer.spans;
  }
}

/** Inherits the loader that runs this file. */
const forkScript = (path: string): ChildProcess => fork(fileURLToPath(new URL(path, import.meta.url)));

type Row = ReturnType<typeof summarise>;

function summarise(program: Program, one: Case, rounds: readonly Round[]) {
  const middle = (pick: (round: Round) => number) => median(rounds.map(pick));
  return {
    program,
    ...one,
    spansPerCpuSecond: middle((round) => round.spansPerCpuSecond),
    spansPerSecond: middle((round) => round.spansPerSecond),
    cpuShare: middle((round) => round.cpuShare),
    p50Ms: middle((round) => round.p50Ms),
    p99Ms: middle((round) => round.p99Ms),
    // The worst round: memory and losses are promises, not averages.
    peakRssMiB: Math.max(...rounds.map((round) => round.peakRssMiB)),
    lostSpans: rounds.reduce((sum, round) => sum + round.lostSpans, 0),
    failedRequests: rounds.reduce((sum, round) => sum + round.failedRequests, 0),
    bytesPerSpan: middle((round) => round.bytesPerSpan),
  };
}

function print(cases: readonly Case[], rows: readonly Row[]): void {
  const heading = [
    'case',
    'program',
    'spans/CPU-s',
    'ratio',
    'spans/s',
    'CPU %',
    'p50 ms',
    'p99 ms',
    'RSS MiB',
    'lost',
    'failed',
  ];
  const lines = cases.flatMap((one) => {
    const own = rows.filter((row) => nameOf(row) === nameOf(one));
    const collector = own.find(({ program }) => program === 'collector');
    return own.map((row, index) => [
      index === 0 ? nameOf(one) : '',
      row.program,
      Math.round(row.spansPerCpuSecond),
      collector === undefined ? '-' : (row.spansPerCpuSecond / collector.spansPerCpuSecond).toFixed(2),
      Math.round(row.spansPerSecond),
      Math.round(row.cpuShare * 100),
      row.p50Ms.toFixed(2),
      row.p99Ms.toFixed(2),
      Math.round(row.peakRssMiB),
      row.lostSpans,
      row.failedRequests,
    ]);
  });
  printTable([heading, ...lines]);
}
