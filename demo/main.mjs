#!/usr/bin/env node
/**
 * The demo application: starts its processes on loopback ports that the system chooses, and ends with them.
 *
 *     node demo/main.mjs [--seconds N] [--rate R] [--endpoint URL] [--until-eof]
 *
 * With `--until-eof` it also ends when its standard input closes, so that it cannot outlive who started it.
 * Spans go to `--endpoint`, else OTEL_EXPORTER_OTLP_ENDPOINT, else http://127.0.0.1:4318 (OTLP/HTTP).
 * Exit code 1 when a process dies on its own.
 */
import { fork } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Gives compiled and interpreted JavaScript names that a kernel profiler can read from /tmp/perf-PID.map. */
const PROFILING = ['--perf-basic-prof-only-functions', '--interpreted-frames-native-stack'];
const STOP_GRACE_MS = 3000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '0' },
    rate: { type: 'string', default: '5' },
    endpoint: { type: 'string' },
    'until-eof': { type: 'boolean', default: false },
  },
});
const seconds = positive('seconds', values.seconds, 0, 1e6);
const rate = positive('rate', values.rate, 0.1, 50);

const directory = join(process.cwd(), '.kindling', `demo-${process.pid}`);
/** @type {Map<string, import('node:child_process').ChildProcess>} */
const children = new Map();
let stopping = false;
let exitCode = 0;

process.on('SIGINT', () => stop());
process.on('SIGTERM', () => stop());
process.on('SIGHUP', () => stop());
if (values['until-eof']) process.stdin.on('end', () => stop()).resume();
process.on('exit', () => {
  for (const child of children.values()) {
    child.kill('SIGKILL');
    rmSync(`/tmp/perf-${child.pid}.map`, { force: true });
  }
  rmSync(directory, { recursive: true, force: true });
});

mkdirSync(directory, { recursive: true });
try {
  const [legacy, inventory] = await Promise.all([
    start('legacy', { instrumented: false }),
    start('inventory', {}),
  ]);
  const pricing = await start('pricing', { env: { LEGACY_URL: url(legacy) } });
  const shop = await start('shop', {
    env: { PRICING_URL: url(pricing), INVENTORY_URL: url(inventory), DEMO_DIRECTORY: directory },
  });
  await start('load', { env: { SHOP_URL: url(shop), DEMO_RATE: String(rate) } });
  if (!stopping) console.error(`demo: shop at ${url(shop)}, ${children.size} processes, ${rate} requests/s`);
  if (seconds > 0) setTimeout(() => stop(), seconds * 1000).unref();
} catch (error) {
  if (!stopping) fail(error instanceof Error ? error.message : String(error));
}

/**
 * Starts one process and waits until it is ready. Gives the port it listens on (0 for none).
 * @param {string} name of the file in `services/` and of the service
 * @param {{ instrumented?: boolean, env?: Record<string, string> }} options
 * @returns {Promise<number>}
 */
function start(name, { instrumented = true, env = {} }) {
  if (stopping) return Promise.reject(new Error('stopping'));
  const telemetry = new URL('./lib/telemetry.mjs', import.meta.url).href;
  const child = fork(fileURLToPath(new URL(`./services/${name}.mjs`, import.meta.url)), [], {
    execArgv: [...PROFILING, ...(instrumented ? ['--import', telemetry] : [])],
    env: {
      ...process.env,
      ...(values.endpoint === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: values.endpoint }),
      OTEL_SERVICE_NAME: name,
      // Stable HTTP attribute names (http.request.method, url.path, ...) instead of the ones of 2020.
      OTEL_SEMCONV_STABILITY_OPT_IN: 'http',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  children.set(name, child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('message', (/** @type {{ type?: string, port?: number }} */ message) => {
      if (message.type === 'ready') resolve(message.port ?? 0);
    });
    child.on('exit', (code, signal) => {
      children.delete(name);
      // It removes this itself, unless it was killed.
      rmSync(`/tmp/perf-${child.pid}.map`, { force: true });
      reject(new Error(`${name} ended before it was ready`));
      if (!stopping) fail(`${name} ended unexpectedly (${signal ?? `exit code ${code}`})`);
      else if (children.size === 0) process.exit(exitCode);
    });
  });
}

/** Asks every process to end by closing its channel, and kills the ones that do not. */
function stop() {
  if (stopping) return;
  stopping = true;
  if (children.size === 0) process.exit(exitCode);
  for (const child of children.values()) if (child.connected) child.disconnect();
  setTimeout(() => process.exit(exitCode), STOP_GRACE_MS).unref();
}

function fail(/** @type {string} */ message) {
  console.error(`demo: ${message}`);
  exitCode = 1;
  stop();
}

function url(/** @type {number} */ port) {
  return `http://127.0.0.1:${port}`;
}

function positive(
  /** @type {string} */ name,
  /** @type {string} */ text,
  /** @type {number} */ least,
  /** @type {number} */ most,
) {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  console.error(`demo: --${name} must be a number from ${least} to ${most}, got "${text}"`);
  process.exit(2);
}
