import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PermanentError } from '../../../../src/component/errors.js';
import { fileExporter } from '../../../../src/exporters/file/factory.js';
import { RotatingFile } from '../../../../src/exporters/file/rotating-file.js';
import { toJson } from '../../../../src/otlp/json-writer.js';
import { testHost } from '../../../helpers/host.js';
import { batchOf, rejection, startExporter } from '../../../helpers/otlp/exporter-harness.js';
import { logsRequest, tracesRequest } from '../../../helpers/otlp/payload.js';
import { CountingMetrics, settingsFor } from '../../../helpers/otlp/receiver-harness.js';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kindling-file-'));
  path = join(directory, 'out.json');
});

afterEach(() => rm(directory, { recursive: true }));

describe('file exporter', () => {
  it('writes each batch as a line of OTLP/JSON', async () => {
    const { exporter, metrics, stop } = await startExporter(fileExporter, { path });
    const requests = [tracesRequest(2), tracesRequest(3)];
    for (const bytes of requests) await exporter.consume(batchOf('traces', bytes));
    expect(metrics.snapshot()).toEqual({ 'received traces': 5, 'held traces': 5 });
    await stop();
    expect(await readFile(path, 'utf8')).toBe(
      requests.map((bytes) => `${toJson('traces', bytes)}\n`).join(''),
    );
    expect(metrics.snapshot()).toEqual({ 'received traces': 5, 'sent traces': 5 });
  });

  it('writes after flush_interval without being asked', async () => {
    const { exporter, stop } = await startExporter(fileExporter, { path, flush_interval: '10ms' });
    await exporter.consume(batchOf('traces', tracesRequest(1)));
    await expect.poll(() => readFile(path, 'utf8'), { timeout: 5000 }).toContain('GET /item/0');
    await stop();
  });

  it('empties the file at the start, unless told to append', async () => {
    await writeFile(path, 'old\n');
    await (await startExporter(fileExporter, { path, append: true })).stop();
    expect(await readFile(path, 'utf8')).toBe('old\n');
    await (await startExporter(fileExporter, { path })).stop();
    expect(await readFile(path, 'utf8')).toBe('');
  });

  it('shares one file between signals', async () => {
    const host = testHost();
    const config = fileExporter.config().parse({ path });
    const metrics = new CountingMetrics();
    const exporters = (['traces', 'logs'] as const).map((signal) =>
      fileExporter.create(settingsFor('file', metrics), config, signal),
    );
    for (const exporter of exporters) await exporter.start(host);
    await exporters[0]!.consume(batchOf('traces', tracesRequest(1)));
    await exporters[1]!.consume(batchOf('logs', logsRequest()));
    await exporters[0]!.shutdown(AbortSignal.timeout(1000));
    await exporters[1]!.consume(batchOf('logs', logsRequest()));
    await exporters[1]!.shutdown(AbortSignal.timeout(1000));
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line))[0])).toEqual([
      'resourceSpans',
      'resourceLogs',
      'resourceLogs',
    ]);
  });

  it('refuses what is not OTLP and counts it', async () => {
    const { exporter, metrics, stop } = await startExporter(fileExporter, { path });
    const broken = { ...batchOf('traces', tracesRequest(1)), bytes: Uint8Array.of(0x0a, 0x7f) };
    expect(await rejection(exporter.consume(broken))).toBeInstanceOf(PermanentError);
    expect(metrics.snapshot()).toEqual({ 'received traces': 1, 'dropped traces malformed': 1 });
    await stop();
  });

  it('does not start without its directory', async () => {
    const starting = startExporter(fileExporter, { path: join(directory, 'no', 'such.json') });
    expect(await rejection(starting)).toMatchObject({ code: 'ENOENT' });
    expect(fileExporter.config().safeParse({}).error?.issues[0]?.message).toBe('path must be non-empty');
  });

  it('counts what can not be written', async () => {
    const { exporter, metrics, stop } = await startExporter(fileExporter, {
      path: '/dev/full',
      append: true,
    });
    await exporter.consume(batchOf('traces', tracesRequest(4)));
    await stop();
    expect(metrics.snapshot()).toEqual({ 'received traces': 4, 'dropped traces write_failed': 4 });
  });
});

describe('rotation', () => {
  it('begins a new file when one is full and keeps the newest', async () => {
    let clock = Date.UTC(2026, 10, 21, 4, 5, 6, 0);
    const file = new RotatingFile({
      path,
      append: true,
      flushIntervalMs: 0,
      maxBytes: 20,
      maxBackups: 2,
      now: () => clock++,
    });
    await writeFile(join(directory, 'out-notes.json'), 'not a backup');
    await file.open();
    const written: string[] = [];
    for (const line of ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(12))) {
      await file.append(line, (error) => written.push(error === undefined ? line : error.message));
    }
    await file.append('e'.repeat(50), () => {});
    await file.append('f', () => {});
    await file.close();
    expect(written).toHaveLength(4);
    const names = (await readdir(directory)).sort();
    expect(names).toEqual([
      'out-2026-11-21T04-05-06.003.json',
      'out-2026-11-21T04-05-06.004.json',
      'out-notes.json',
      'out.json',
    ]);
    const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
    expect(texts).toEqual([`${'d'.repeat(12)}\n`, `${'e'.repeat(50)}\n`, 'not a backup', 'f\n']);
  });

  it('fills files as far as whole lines go when many are written at once', async () => {
    let clock = 0;
    const file = new RotatingFile({
      path,
      append: true,
      flushIntervalMs: 60_000,
      maxBytes: 10,
      maxBackups: 0,
      now: () => clock++,
    });
    await file.open();
    for (const line of ['1234', '5678', '90', 'ab', 'cd']) await file.append(line, () => {});
    await file.close();
    const names = (await readdir(directory)).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
    expect(texts).toEqual(['1234\n5678\n', '90\nab\ncd\n']);
  });
});
