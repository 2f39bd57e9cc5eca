/**
 * The agent under 10,000 spans a second while nobody takes them: peak resident memory with the queue in memory and on disk,
 * and what the senders were told. KINDLING_BENCH_SECONDS sets how long (default 20; `make soak`: 600).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultConfig } from '../test/helpers/faults/faulty-agent.js';
import { NumberingSender } from '../test/helpers/faults/numbering-sender.js';
import { freePorts } from '../test/helpers/otlp/collector.js';
import { printTable } from './report.js';

const SECONDS = Number(process.env.KINDLING_BENCH_SECONDS ?? 20);
const SPANS_PER_SECOND = 10_000;
const SPANS_PER_REQUEST = 100;
const CONNECTIONS = 10;

interface Row {
  readonly queue: string;
  readonly seconds: number;
  readonly acknowledgedSpans: number;
  readonly refusedRequests: number;
  readonly peakRssMiB: number;
}

export async function run(): Promise<object> {
  const rows = [await measure('memory'), await measure('disk')];
  printTable([
    ['queue', 'seconds', 'acknowledged spans', 'refused requests', 'peak RSS MiB'],
    ...rows.map((row) => [
      row.queue,
      row.seconds,
      row.acknowledgedSpans,
      row.refusedRequests,
      Math.round(row.peakRssMiB),
    ]),
  ]);
  return { spansPerSecond: SPANS_PER_SECOND, rows };
}

async function measure(queue: 'memory' | 'disk'): Promise<Row> {
  mkdirSync('build', { recursive: true });
  const directory = mkdtempSync(join('build', 'dead-backend-'));
  const [port = 0, dead = 0] = await freePorts(2);
  const file = join(directory, 'config.yaml');
  writeFileSync(
    file,
    faultConfig({
      receiverPort: port,
      backendPort: dead,
      // A default queue in memory; 4 GB on disk.
      queue: queue === 'disk' ? { sizer: 'bytes', queue_size: 4e9 } : {},
      ...(queue === 'disk' ? { directory: join(directory, 'queue') } : {}),
    }),
  );
  const agent = spawn('bin/kindling', ['--config', file, '--shutdown-timeout', '2s'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    let log = '';
    agent.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (log.length < 1e5) log += text;
    });
    while (!log.includes('Everything is ready.')) {
      if (agent.exitCode !== null) throw new Error(log);
      await once(agent.stderr, 'data');
    }
    const sender = new NumberingSender({
      port,
      connections: CONNECTIONS,
      spansPerRequest: SPANS_PER_REQUEST,
      paddingBytes: 300,
      pauseMs: (1000 * CONNECTIONS * SPANS_PER_REQUEST) / SPANS_PER_SECOND,
    });
    sender.start();
    await sleep(SECONDS * 1000);
    const status = readFileSync(`/proc/${agent.pid}/status`, 'utf8');
    await sender.stop();
    return {
      queue,
      seconds: SECONDS,
      acknowledgedSpans: sender.acknowledged.size,
      refusedRequests: sender.answers.get(503) ?? 0,
      peakRssMiB: Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024,
    };
  } finally {
    agent.kill('SIGKILL');
    if (agent.exitCode === null && agent.signalCode === null) await once(agent, 'close');
    rmSync(directory, { recursive: true, force: true });
  }
}
