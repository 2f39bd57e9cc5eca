import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch } from '../../../src/main.js';
import { SpanKind } from '../../../src/otlp/span-constants.js';
import { indexTraces } from '../../../src/store/index-traces.js';
import { StoreWriter } from '../../../src/store/store-writer.js';
import { NOP_LOGGER } from '../../../src/telemetry/logger.js';
import { NOP_METRICS } from '../../../src/telemetry/metrics.js';
import { LOCK_TRACE_ID, lockTrace, spanBatch } from '../../helpers/enriched-trace.js';

const NOW = 1_700_000_100_000;
const TWIN = `${LOCK_TRACE_ID.slice(0, 10)}${'0'.repeat(22)}`;
let directory = '';

const simple = (traceId: string, endMs: number, durationMs: number, error = false): Uint8Array =>
  spanBatch({
    traceId,
    spanId: traceId.slice(0, 16),
    service: 'billing',
    name: 'POST /pay',
    kind: SpanKind.server,
    startMs: endMs - durationMs,
    durationMs,
    error,
    attributes: { 'http.response.status_code': error ? 503 : 200 },
  });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kindling-cli-'));
  const writer = new StoreWriter({
    directory,
    signal: 'traces',
    maxBytes: 1 << 20,
    maxAgeMs: 3600e3,
    segmentBytes: 64 << 10,
    maxPendingBytes: 1 << 20,
    flushIntervalMs: 60_000,
    indexPayload: indexTraces,
    now: () => NOW,
    logger: NOP_LOGGER,
    metrics: NOP_METRICS,
  });
  await writer.start();
  for (const bytes of [
    ...lockTrace(NOW - 10_000),
    // A retry of one of the exports.
    lockTrace(NOW - 10_000)[1]!,
    simple(TWIN, NOW - 600_000, 40),
    simple(`11${'2'.repeat(30)}`, NOW - 2000, 30, true),
    simple(`22${'3'.repeat(30)}`, NOW - 1000, 900),
  ]) {
    writer.offer({ signal: 'traces', itemCount: 1, bytes });
  }
  await writer.close(new AbortController().signal);
});
afterAll(() => rm(directory, { recursive: true }));

const run = async (
  command: 'trace' | 'traces',
  ...argv: string[]
): Promise<{ code: number; out: string; err: string }> => {
  let out = '';
  let err = '';
  const code = await dispatch([command, ...argv], {
    env: { KINDLING_STORE: directory },
    now: () => NOW,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
};
const ids = (out: string): string[] =>
  out
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(' ')[0] ?? '');

describe('kindling trace', () => {
  it('prints the trace for its id, a prefix, and an id with dashes', async () => {
    const full = await run('trace', LOCK_TRACE_ID);
    expect(full).toMatchObject({ code: 0, err: '' });
    expect(full.out).toContain('4 spans   3 services');
    expect(full.out).toContain('for a lock that stock-clerk (4712) of inventory (4701) released');
    expect((await run('trace', LOCK_TRACE_ID.slice(0, 11))).out).toBe(full.out);
    const uuid = LOCK_TRACE_ID.toUpperCase().replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    expect((await run('trace', uuid)).out).toBe(full.out);
  });

  it('gives JSON with every number of the breakdown', async () => {
    const { out } = await run('trace', LOCK_TRACE_ID, '--json');
    const trace = JSON.parse(out);
    expect(trace).toMatchObject({ trace_id: LOCK_TRACE_ID, services: ['load', 'shop', 'inventory'] });
    const inventory = trace.spans.find((span: { service: string }) => span.service === 'inventory');
    expect(inventory).toMatchObject({ depth: 3, kind: 'server', confidence: 0.95, duration_ns: 116_200_000 });
    const times = Object.values<number>(inventory.breakdown_ns);
    expect(times.reduce((sum, ns) => sum + ns, 0)).toBe(inventory.duration_ns);
    expect(inventory.intervals).toContainEqual(
      expect.objectContaining({
        class: 'lock',
        duration_ns: 109_200_000,
        waker_thread: 'stock-clerk (4712)',
      }),
    );
    expect(trace.reasons.map((reason: { kind: string }) => reason.kind)).toEqual([
      'waited_for_span',
      'spent',
    ]);
  });

  it('lists the candidates of an ambiguous prefix', async () => {
    const { code, err } = await run('trace', LOCK_TRACE_ID.slice(0, 10));
    expect(code).toBe(1);
    expect(err).toContain(LOCK_TRACE_ID);
    expect(err).toContain(TWIN);
  });

  it.each([
    [[], 'Which trace?'],
    [['12345'], 'has 5 digits'],
    [['xyz12345'], 'only hex digits'],
    [[LOCK_TRACE_ID, LOCK_TRACE_ID], 'One trace at a time'],
    [['--wat'], '--wat'],
  ])('explains wrong usage: %j', async (argv, message) => {
    const { code, err, out } = await run('trace', ...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(out).toBe('');
  });

  it('says that a trace or a store is not there', async () => {
    const missing = await run('trace', 'deadbeefdeadbeef');
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.err).toContain('No trace deadbeefdeadbeef');
    const nowhere = await run('trace', LOCK_TRACE_ID, '--store', join(directory, 'nowhere'));
    expect(nowhere).toMatchObject({ code: 1 });
    expect(nowhere.err).toContain('There is no store in');
  });
});

describe('kindling traces', () => {
  const lock = LOCK_TRACE_ID.slice(0, 12);
  const failed = '112222222222';
  const slow = '223333333333';
  const old = TWIN.slice(0, 12);

  it.each([
    [[], [slow, failed, lock, old]],
    [['--slow'], [slow, lock, old, failed]],
    [
      ['--slow', '--limit', '2'],
      [slow, lock],
    ],
    [
      ['--since', '5m'],
      [slow, failed, lock],
    ],
    [['--errors'], [failed]],
    [['--service', 'inventory'], [lock]],
    [
      ['--service', 'billing', '--since', '1m'],
      [slow, failed],
    ],
  ])('selects and sorts: %j', async (argv, expected) => {
    const { code, out } = await run('traces', ...argv);
    expect(code).toBe(0);
    expect(ids(out)).toEqual(expected);
  });

  it('shows a request as the asked service saw it', async () => {
    const { out } = await run('traces', '--service', 'inventory');
    expect(out).toMatch(/116 ms {2}inventory +GET \/stock\/\{id\} +200 +94 % lock: stock-clerk \(4712\)/);
  });

  it('gives the same as JSON', async () => {
    const { out } = await run('traces', '--slow', '--limit', '2', '--json');
    const json = JSON.parse(out);
    expect(json.store).toBe(directory);
    expect(json.traces.map((trace: { trace_id: string }) => trace.trace_id.slice(0, 12))).toEqual([
      slow,
      lock,
    ]);
    expect(json.traces[1].summary).toBe('90 % lock in inventory: stock-clerk (4712)');
  });

  it.each([
    [['--since', 'yesterday'], '--since'],
    [['--limit', '0'], '--limit'],
    [['extra'], 'accepts 0 arg(s), received 1'],
  ])('explains wrong usage: %j', async (argv, message) => {
    const { code, err } = await run('traces', ...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('says when nothing fits', async () => {
    expect(await run('traces', '--service', 'nobody')).toMatchObject({ code: 1, out: '' });
  });
});

describe('kindling trace --format', () => {
  it('writes each format, and says that no agent gave stacks', async () => {
    const socket = join(directory, 'no.sock');
    for (const format of ['chrome', 'firefox', 'json', 'speedscope']) {
      const { code, out, err } = await run('trace', LOCK_TRACE_ID, '--format', format, '--socket', socket);
      expect([code, typeof JSON.parse(out)]).toEqual([0, 'object']);
      expect(err).toBe(`Not all stacks are there: ${socket}: no agent listens there.\n`);
    }
    const { out } = await run('trace', LOCK_TRACE_ID, '--format', 'collapsed', '--socket', socket);
    expect(out).toContain('inventory;GET /stock/{id};lock wait, released by stock-clerk (4712) 109200000\n');
  });

  it('shows one span and what is below it', async () => {
    const args = [LOCK_TRACE_ID, '--format', 'collapsed', '--socket', join(directory, 'no.sock'), '--span'];
    const { out } = await run('trace', ...args, '00f067aa0ba902b9');
    expect(out.split('\n').filter((line) => line !== '' && !line.startsWith('inventory;'))).toEqual([]);
    expect((await run('trace', ...args, '00f067')).err).toContain('More than one span');
    expect((await run('trace', ...args, 'ffff')).err).toContain('No span');
  });

  it('writes files, and nothing binary where there may be a terminal', async () => {
    const args = [LOCK_TRACE_ID, '--format', 'pprof', '--socket', join(directory, 'no.sock')];
    expect(await run('trace', ...args)).toMatchObject({ code: 2, out: '' });
    const file = join(directory, 'trace.pb.gz');
    expect(await run('trace', ...args, '--output', file)).toMatchObject({ code: 0, out: '' });
    expect([...readFileSync(file).subarray(0, 2)]).toEqual([0x1f, 0x8b]);
  });

  it('knows its formats and options', async () => {
    expect(await run('trace', LOCK_TRACE_ID, '--format', 'svg')).toMatchObject({
      code: 2,
      err: expect.stringContaining('chrome, collapsed, firefox, json, pprof, speedscope'),
    });
    expect(await run('trace', LOCK_TRACE_ID, '--span', 'aa')).toMatchObject({ code: 2 });
  });
});
