/** One run of a program under the agent: its own truth, and what the agent wrote on its spans. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  freePort,
  killLeftovers,
  removeTemporaryDirectories,
  startAgent,
  temporaryDirectory,
} from '../helpers/agent.js';
import type { TruthProgram } from './programs.js';
import { type JsonSpan, type ToldSpan, type TruthSpan, toldSpan } from './truth-span.js';

/** By turns; numbers are milliseconds. */
const SCRIPTS = [
  'burn:2',
  'sleep:3',
  'burn:1,call:4,burn:1',
  'lock:0',
  'read:0,burn:1',
  'burn:1,sleep:2,call:2,lock:0,read:0',
  'call:1,call:2',
];
const READ_BYTES = 2 << 20;

export interface ObservedRun {
  readonly truth: readonly TruthSpan[];
  /** By trace id and span id, written together. */
  readonly told: ReadonlyMap<string, ToldSpan>;
}

type Program = ChildProcessByStdio<Writable, Readable, null>;

export async function observe(
  program: TruthProgram,
  concurrency: number,
  requests: number,
  keep: string | undefined,
): Promise<ObservedRun> {
  const directory = temporaryDirectory();
  const otlpPort = await freePort();
  const readFile = join(directory, 'data');
  // On the disk, or it cannot be taken out of memory.
  writeFileSync(readFile, randomBytes(READ_BYTES), { flush: true });
  const children: Program[] = [];
  try {
    const start = async (command: readonly [string, ...string[]], env: NodeJS.ProcessEnv) => {
      const [file, ...args] = command;
      const child = spawn(file, args, {
        env: { ...process.env, ...env },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      children.push(child);
      const lines = createInterface({ input: child.stdout });
      const [first] = (await once(lines, 'line')) as [string];
      return { child, lines, port: Number(first.split(' ')[1]) };
    };
    const peer = await start(
      [process.execPath, fileURLToPath(new URL('./programs/peer.mjs', import.meta.url))],
      {},
    );
    const subject = await start(program.command(), {
      OTLP_PORT: String(otlpPort),
      PEER_PORT: String(peer.port),
      READ_FILE: readFile,
    });
    const truth: TruthSpan[] = [];
    subject.lines.on('line', (line) => truth.push(JSON.parse(line) as TruthSpan));
    const output = join(keep ?? directory, `${program.name}-${concurrency}.json`);
    const agent = await startAgent(agentConfig(subject.child.pid!, otlpPort, output));
    await load(subject.port, concurrency, requests);
    const closed = once(subject.lines, 'close');
    subject.child.stdin.end();
    await closed;
    await agent.stop();
    if (keep !== undefined) writeFileSync(output.replace('.json', '.truth.json'), JSON.stringify(truth));
    return { truth, told: readTold(output) };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await killLeftovers();
    removeTemporaryDirectories();
  }
}

const agentConfig = (pid: number, otlpPort: number, output: string): string => `
receivers:
  ebpf:
    targets: { default: none, include: { pids: [${pid}] } }
    budget: { cpus: 0 }
  otlp: { protocols: { http: { endpoint: '127.0.0.1:${otlpPort}' } } }
processors:
  trace_profiling: { max_events: 1024 }
exporters:
  file: { path: '${output}', flush_interval: 100ms }
service:
  pipelines:
    traces: { receivers: [ebpf, otlp], processors: [trace_profiling], exporters: [file] }
`;

/** `requests` requests over `concurrency` connections, each one after the other. */
async function load(port: number, concurrency: number, requests: number): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (next < requests) {
      const script = SCRIPTS[next++ % SCRIPTS.length]!;
      const traceparent = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
      await new Promise<void>((resolve, reject) => {
        get(
          { host: '127.0.0.1', port, path: `/run?s=${script}`, headers: { traceparent }, agent },
          (response) => {
            response.on('end', resolve).on('error', reject).resume();
          },
        ).on('error', reject);
      });
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: concurrency }, client));
}

function readTold(path: string): Map<string, ToldSpan> {
  const told = new Map<string, ToldSpan>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue;
    const batch = JSON.parse(line) as {
      resourceSpans: { scopeSpans: { spans: JsonSpan[] }[] }[];
    };
    for (const { scopeSpans } of batch.resourceSpans) {
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          const found = toldSpan(span);
          if (found !== undefined) told.set(span.traceId + span.spanId, found);
        }
      }
    }
  }
  return told;
}
