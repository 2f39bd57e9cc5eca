/** The agent as a process of its own, told to watch one application, and what it says of itself when it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Target } from './subject.js';

const READY = 'Everything is ready.';

export interface Tiers {
  /** Settings of the `ebpf` receiver beside its targets. */
  readonly ebpf: object;
  readonly processors?: readonly string[];
}

export interface RunningAgent {
  readonly pid: number;
  /** Ends it; spans that reached its exporter, and kernel records that were lost. */
  stop(): Promise<{ spans: number; lostRecords: number }>;
}

export async function startAgent({ ebpf, processors = [] }: Tiers, target: Target): Promise<RunningAgent> {
  const directory = mkdtempSync(join(tmpdir(), 'kindling-bench-'));
  const file = join(directory, 'config.json');
  writeFileSync(
    file,
    JSON.stringify({
      receivers: { ebpf: { targets: { default: 'none', include: target.include }, ...ebpf } },
      processors: Object.fromEntries(processors.map((name) => [name, null])),
      exporters: { nop: null },
      service: {
        telemetry: { metrics: { level: 'none' } },
        pipelines: { traces: { receivers: ['ebpf'], processors, exporters: ['nop'] } },
      },
    }),
  );
  const child = spawn('bin/kindling', ['--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes(READY)) resolve();
    });
    child.on('close', (code) => reject(new Error(`the agent ended with ${code}:\n${log}`)));
  });
  return {
    pid: child.pid!,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'close');
      rmSync(directory, { recursive: true, force: true });
      // The accounting table: "exporter nop (traces)  traces  <received> ...", "receiver ebpf  events  R  S  <dropped> ...".
      const received = /^exporter nop \(traces\)\s+traces\s+(\d+)/m.exec(log)?.[1];
      const dropped = /^receiver ebpf\s+events\s+\d+\s+\d+\s+(\d+)/m.exec(log)?.[1];
      if (received === undefined)
        throw new Error(`no accounting of the exporter in the agent's log:\n${log}`);
      return { spans: Number(received), lostRecords: Number(dropped ?? 0) };
    },
  };
}
