/** A process under test: Kindling or a Collector, with one pipeline, and what /proc says about it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../test/helpers/otlp/collector.js';

export const PROGRAMS = ['kindling', 'collector'] as const;
export type Program = (typeof PROGRAMS)[number];

const BINARIES: Readonly<Record<Program, string>> = {
  kindling: 'bin/kindling',
  collector: 'build/otelcol/otelcol',
};

/** `full` sends plain, `full-gzip` compressed, which is the default of both programs. */
export const PIPELINES = ['nop', 'full', 'full-gzip'] as const;
export type Pipeline = (typeof PIPELINES)[number];

/** Ticks of utime and stime in /proc/PID/stat: USER_HZ, which is 100 on every Linux architecture of Node.js. */
const TICK_SECONDS = 1 / 100;

export interface Subject {
  readonly program: Program;
  readonly pipeline: Pipeline;
  readonly grpcPort: number;
  readonly httpPort: number;
  /** User and system time of all its threads since it started. */
  cpuSeconds(): number;
  /** Highest resident memory since the last call of `resetPeak`, bytes. */
  peakRssBytes(): number;
  resetPeak(): void;
  stop(): Promise<void>;
}

export async function startSubject(
  program: Program,
  pipeline: Pipeline,
  sinkPort: number,
  nodeFlags: readonly string[] = [],
): Promise<Subject> {
  const [grpcPort = 0, httpPort = 0] = await freePorts(2);
  const directory = mkdtempSync(join(tmpdir(), 'kindling-bench-'));
  const file = join(directory, 'config.yaml');
  writeFileSync(file, JSON.stringify(configOf(pipeline, grpcPort, httpPort, sinkPort)));
  const [command, args]: [string, string[]] =
    program === 'kindling' ? [process.execPath, [...nodeFlags, BINARIES.kindling]] : [BINARIES.collector, []];
  const child = spawn(command, [...args, '--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  await ready(child, program);
  const proc = `/proc/${child.pid}`;
  return {
    program,
    pipeline,
    grpcPort,
    httpPort,
    cpuSeconds: () => {
      // After the command's name in parentheses; fields 14 and 15 of proc_pid_stat(5).
      const fields = readFileSync(`${proc}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS;
    },
    peakRssBytes: () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`${proc}/status`, 'utf8'))?.[1]) * 1024,
    // proc_pid_clear_refs(5): 5 sets the peak to the current value.
    resetPeak: () => writeFileSync(`${proc}/clear_refs`, '5'),
    stop: async () => {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The same text for both programs. Queues are small and make senders wait, so that nobody wins by piling up or losing. */
function configOf(pipeline: Pipeline, grpcPort: number, httpPort: number, sinkPort: number): object {
  const full = pipeline !== 'nop';
  const exporter = full ? 'otlp_grpc' : 'nop';
  return {
    receivers: {
      otlp: {
        protocols: {
          grpc: { endpoint: `127.0.0.1:${grpcPort}`, max_recv_msg_size_mib: 64 },
          http: { endpoint: `127.0.0.1:${httpPort}`, max_request_body_size: 64 * 2 ** 20 },
        },
      },
    },
    processors: { memory_limiter: { check_interval: '1s', limit_mib: 4000 }, batch: {} },
    exporters: {
      nop: {},
      otlp_grpc: {
        endpoint: `127.0.0.1:${sinkPort}`,
        tls: { insecure: true },
        timeout: '60s',
        compression: pipeline === 'full-gzip' ? 'gzip' : 'none',
        sending_queue: { queue_size: 4, num_consumers: 4, block_on_overflow: true },
      },
    },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        traces: {
          receivers: ['otlp'],
          processors: full ? ['memory_limiter', 'batch'] : [],
          exporters: [exporter],
        },
      },
    },
  };
}

/** Both programs say the same sentence. */
async function ready(child: ChildProcess, program: Program): Promise<void> {
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      // Kept until it is ready; read for ever, so that the pipe never fills.
      if (log.length < 1e5) log += text;
      if (log.includes('Everything is ready.')) resolve();
    });
    child.on('error', reject);
    child.on('close', (code) => reject(new Error(`${program} ended with ${code}:\n${log}`)));
  });
}
