/**
 * The lines that people and scripts wait for, from the real program: bin/kindling with a configuration, a reload, a stop.
 * Needs the compiled program (`npm run build:ts`), which `make test` makes first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';

const BIN = new URL('../../../bin/kindling', import.meta.url).pathname;
const BUILT = existsSync(new URL('../../../dist/main.js', import.meta.url));

// Programs are started one after the other, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let child: ChildProcess | undefined;
afterEach(async () => {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
});

interface Program {
  readonly process: ChildProcess;
  /** Resolves with all of stderr once `text` is in it; rejects when the program ends before. */
  until(text: string): Promise<string>;
  /** Exit code and stderr, once it has ended. */
  readonly end: Promise<{ readonly code: number | null; readonly log: string }>;
}

function start(config: string, uriOf = (text: string) => `yaml:${text}`): Program {
  const started = spawn(process.execPath, [BIN, '--config', uriOf(config)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH },
  });
  child = started;
  let log = '';
  const seen = new Set<() => void>();
  started.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    for (const look of seen) look();
  });
  const end = once(started, 'close').then(([code]) => ({ code: code as number | null, log }));
  return {
    process: started,
    end,
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (log.includes(text)) resolve(log);
        };
        seen.add(look);
        look();
        void end.then(() => reject(new Error(`ended without ${JSON.stringify(text)}:\n${log}`)));
      }),
  };
}

const CONFIG = `
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:0" } } }
exporters: { nop: }
extensions: { health_check: { endpoint: "127.0.0.1:0" } }
service:
  extensions: [health_check]
  telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: 0 } } } }] } }
  pipelines: { traces: { receivers: [otlp], exporters: [nop] } }
`;

/** Level and message of each console line, without time and fields. */
const messagesOf = (log: string): string[] =>
  log.split('\n').flatMap((line) => {
    const [time = '', level = '', message = ''] = line.split('\t');
    return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time) ? [`${level} ${message}`] : [];
  });

describe.skipIf(!BUILT)('bin/kindling', () => {
  it('says what a Collector says when it starts, reloads and stops', async () => {
    const program = start(CONFIG);
    const ready = await program.until('Everything is ready. Begin running and processing data.');
    const endpoint = /Serving own metrics.*?"endpoint": ?"([^"]+)"/.exec(ready)?.[1];
    const page = await (await fetch(endpoint!)).text();
    expect(page).toContain('\ntarget_info{service_name="kindling"');
    expect(page).toMatch(/^otelcol_process_uptime_seconds_total \d/m);

    program.process.kill('SIGHUP');
    await program.until('"start":[]');
    program.process.kill('SIGTERM');
    const { code, log } = await program.end;
    expect(code).toBe(0);

    const starting = [
      'info Starting kindling...',
      'info Starting extensions...',
      'info Extension is starting...',
      'info Starting health_check extension',
      'info Extension started.',
      'info Starting GRPC server',
      'info Starting HTTP server',
      'info Everything is ready. Begin running and processing data.',
    ];
    const messages = messagesOf(log).filter((line) => !line.startsWith('debug '));
    expect(messages.filter((line) => line !== 'info Received signal from OS').slice(0, -1)).toEqual([
      'info Serving own metrics',
      ...starting,
      'warn Config updated, restart service',
      'info Everything is ready. Begin running and processing data.',
      'info Starting shutdown...',
      'info Stopping extensions...',
      'info Shutdown complete.',
    ]);
    expect(messages.at(-1)).toMatch(/^info Items by component:/);
    expect(log.match(/Received signal from OS\t.*SIG(?:HUP|TERM)/g)).toHaveLength(2);
    expect(log).toMatch(/Starting kindling\.\.\.\t.*"Version": ?"[\d.]+".*"NumCPU": ?\d+/);
    expect(log).toMatch(
      /Starting GRPC server\t.*"otelcol\.component\.id": ?"otlp".*"endpoint": ?"127\.0\.0\.1:\d+"/,
    );
  });

  it('applies a new configuration on SIGHUP, service.telemetry included, and keeps the old one when it is bad', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kindling-reload-'));
    const file = join(folder, 'config.yaml');
    const log = join(folder, 'log');
    writeFileSync(file, CONFIG);
    const program = start(file, (path) => path);
    const ready = await program.until('Everything is ready.');
    const endpoint = /Serving own metrics.*?"endpoint": ?"([^"]+)"/.exec(ready)?.[1];
    const page = async () => (await fetch(endpoint!)).text();

    writeFileSync(file, CONFIG.replace('exporters: { nop: }', 'exporters: { nop: { nosuch: 1 } }'));
    program.process.kill('SIGHUP');
    const bad = await program.until('Reload failed. Running on with the previous configuration.');
    expect(bad).toContain("'nopexporter.Config' has invalid keys: nosuch");
    expect(await page()).toContain('service_name="kindling"');

    const changed = CONFIG.replace('exporters: { nop: }', 'exporters: { nop: , debug: }')
      .replace('exporters: [nop]', 'exporters: [nop, debug]')
      .replace(
        'telemetry: {',
        `telemetry: { logs: { level: DEBUG, encoding: json, output_paths: [stderr, ${log}] }, resource: { service.name: other }, `,
      );
    writeFileSync(file, changed);
    program.process.kill('SIGHUP');
    const text = await program.until('"msg":"Everything is ready.');
    const update = text.split('\n').find((line) => line.includes('"msg":"Config updated, restart service"'));
    expect(JSON.parse(update!)).toMatchObject({ level: 'warn', stop: [], start: ['exporter debug traces'] });
    // The listener is the same, what it says is new.
    expect(await page()).toContain('target_info{service_name="other"');
    expect(text.match(/Starting GRPC server/g)).toHaveLength(1);

    // Log rotation: the file is moved away, SIGHUP begins a new one.
    renameSync(log, `${log}.1`);
    program.process.kill('SIGHUP');
    await program.until('"stop":[],"start":[]');
    program.process.kill('SIGTERM');
    expect((await program.end).code).toBe(0);
    expect(readFileSync(`${log}.1`, 'utf8')).toContain('Everything is ready.');
    expect(readFileSync(log, 'utf8')).toContain('Shutdown complete.');
    rmSync(folder, { recursive: true });
  });

  it('does not start on a taken address: which component, which address, exit code 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const where = `127.0.0.1:${port}`;
    const grpc = await start(
      CONFIG.replace('grpc: { endpoint: "127.0.0.1:0" }', `grpc: { endpoint: "${where}" }`),
    ).end;
    expect(grpc.code).toBe(1);
    expect(grpc.log).toContain(
      `Error: cannot start pipelines: failed to start "otlp" receiver: listen tcp ${where}: bind: address already in use`,
    );
    expect(grpc.log).toContain('Failed to start component');
    const metrics = await start(CONFIG.replace('port: 0', `port: ${port}`)).end;
    expect(metrics.code).toBe(1);
    expect(metrics.log).toContain(
      `Error: binding address ${where} for Prometheus exporter: listen tcp ${where}: bind: address already in use`,
    );
    const extension = await start(
      CONFIG.replace('health_check: { endpoint: "127.0.0.1:0" }', `health_check: { endpoint: "${where}" }`),
    ).end;
    expect(extension.log).toContain(
      `Error: cannot start extensions: failed to start "health_check" extension: listen tcp ${where}`,
    );
    taken.close();
  });

  it('runs without the default metrics address when another program has it', async () => {
    // Whether somebody on this machine has 8888 or we do: it must be taken for this test to mean something.
    const taken = createServer();
    const mine = await new Promise<boolean>((resolve) => {
      taken.once('error', () => resolve(false)).listen(8888, '127.0.0.1', () => resolve(true));
    });
    try {
      const program = start(CONFIG.replace(/ {2}telemetry:.*\n/, ''));
      const log = await program.until('Everything is ready.');
      expect(log).toContain('warn\tOwn metrics are not served, because the default address can not be used.');
      expect(log).toContain('listen tcp 127.0.0.1:8888: bind: address already in use');
      program.process.kill('SIGTERM');
      expect((await program.end).code).toBe(0);
    } finally {
      if (mine) await new Promise((resolve) => taken.close(resolve));
    }
  });
});
