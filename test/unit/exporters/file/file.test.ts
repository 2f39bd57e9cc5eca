import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PermanentError } from '../../../../src/component/errors.js';
import { fileExporter } from '../../../../src/exporters/file/factory.js';
import { pathOf } from '../../../../src/exporters/file/group-by.js';
import { canCompress } from '../../../../src/exporters/file/record.js';
import { RotatingFile } from '../../../../src/exporters/file/rotating-file.js';
import { fromJson } from '../../../../src/otlp/json-reader.js';
import { toJson } from '../../../../src/otlp/json-writer.js';
import { LogsWriter } from '../../../../src/otlp/logs-writer.js';
import { decompressZstd } from '../../../../src/transport/zstd-fallback.js';
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

/** A batch of resources with these attributes and one log record each. */
function logsOf(...resources: Readonly<Record<string, string>>[]): Uint8Array {
  const writer = new LogsWriter();
  for (const resource of resources) {
    writer.resource(resource);
    writer.scope('test');
    writer.logRecord({ body: JSON.stringify(resource) });
  }
  return writer.finish();
}

describe('forms', () => {
  it('writes protobuf after its length', async () => {
    const { exporter, metrics, stop } = await startExporter(fileExporter, { path, format: 'proto' });
    const requests = [tracesRequest(2), tracesRequest(300)];
    for (const bytes of requests) await exporter.consume(batchOf('traces', bytes));
    await stop();
    const file = await readFile(path);
    const found: Buffer[] = [];
    for (let at = 0; at < file.length; ) {
      const end = at + 4 + file.readUInt32BE(at);
      found.push(file.subarray(at + 4, end));
      at = end;
    }
    expect(found).toEqual(requests.map((bytes) => Buffer.from(bytes)));
    expect(metrics.snapshot()).toEqual({ 'received traces': 302, 'sent traces': 302 });
  });

  it.skipIf(canCompress())('refuses zstd where Node.js has none', async () => {
    await expect(startExporter(fileExporter, { path, compression: 'zstd' })).rejects.toThrow(
      'compression zstd needs Node.js 22.15 or later',
    );
  });

  it.skipIf(!canCompress()).each(['json', 'proto'])('compresses %s with zstd', async (format) => {
    const { exporter, stop } = await startExporter(fileExporter, { path, format, compression: 'zstd' });
    await exporter.consume(batchOf('traces', tracesRequest(2)));
    await stop();
    const file = await readFile(path);
    expect(file.readUInt32BE(0)).toBe(file.length - 4);
    const content = decompressZstd(file.subarray(4), 1 << 20);
    const json = format === 'json' ? Buffer.from(content).toString() : toJson('traces', content);
    expect(json).toBe(toJson('traces', tracesRequest(2)));
  });
});

describe('group_by', () => {
  const group_by = { enabled: true, resource_attribute: 'service.name', max_open_files: 2 };
  const bodies = async (name: string): Promise<unknown[]> =>
    (await readFile(join(directory, name), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => toJson('logs', fromJson('logs', line)));

  it('writes each service to a file of its own and counts what has no service', async () => {
    const { exporter, metrics, stop } = await startExporter(
      fileExporter,
      { path: join(directory, 'of/*/logs.json'), group_by },
      'logs',
    );
    const [a, b] = [{ 'service.name': 'a' }, { 'service.name': 'b' }];
    await exporter.consume(batchOf('logs', logsOf(a, b, { other: 'x' }, a)));
    await stop();
    expect(await bodies('of/a/logs.json')).toEqual([toJson('logs', logsOf(a, a))]);
    expect(await bodies('of/b/logs.json')).toEqual([toJson('logs', logsOf(b))]);
    expect(metrics.snapshot()).toEqual({ 'received logs': 4, 'sent logs': 3, 'dropped logs no_group': 1 });
  });

  it('keeps few files open, and loses nothing of those it closes', async () => {
    const { exporter, stop } = await startExporter(
      fileExporter,
      { path: join(directory, '*.json'), group_by },
      'logs',
    );
    const names = ['a', 'b', 'c', 'd'];
    for (let round = 0; round < 3; round++) {
      for (const name of names) await exporter.consume(batchOf('logs', logsOf({ 'service.name': name })));
    }
    await stop();
    for (const name of names) expect(await bodies(`${name}.json`)).toHaveLength(3);
  });

  it('counts what goes to a file that can not be made', async () => {
    await writeFile(join(directory, 'a'), 'not a directory');
    const { exporter, metrics, stop } = await startExporter(
      fileExporter,
      { path: join(directory, '*/x.json'), group_by },
      'logs',
    );
    await exporter.consume(batchOf('logs', logsOf({ 'service.name': 'a' }, { 'service.name': 'b' })));
    await stop();
    expect(metrics.snapshot()).toEqual({
      'received logs': 2,
      'sent logs': 1,
      'dropped logs write_failed': 1,
    });
    expect(await bodies('b/x.json')).toHaveLength(1);
  });

  it.each([
    ['../../etc/passwd', '/data/etc/passwd.json'],
    ['./a', '/data/a.json'],
    ['a/../../b', '/data/b.json'],
    ['/etc', '/data/etc.json'],
    ['a/b', '/data/a/b.json'],
  ])('a segment %s stays below the path', (segment, expected) => {
    expect(pathOf('/data/*.json', segment)).toBe(expected);
  });
});

describe('rotation', () => {
  it('begins a new file when one is full and keeps the newest', async () => {
    let clock = Date.UTC(2026, 10, 21, 4, 5, 6, 0);
    const file = new RotatingFile({
      path,
      append: true,
      isLines: true,
      maxAgeMs: 0,
      localTime: false,
      flushIntervalMs: 0,
      maxBytes: 20,
      maxBackups: 2,
      now: () => clock++,
    });
    await writeFile(join(directory, 'out-notes.json'), 'not a backup');
    await file.open();
    const written: string[] = [];
    for (const line of ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(12))) {
      await file.append(Buffer.from(`${line}\n`), (error) =>
        written.push(error === undefined ? line : error.message),
      );
    }
    await file.append(Buffer.from(`${'e'.repeat(50)}\n`), () => {});
    await file.append(Buffer.from('f\n'), () => {});
    await file.close();
    expect(written).toHaveLength(4);
    const names = (await readdir(directory)).sort();
    expect(names).toEqual([
      'out-2026-11-21T04-05-06.003-size.json',
      'out-2026-11-21T04-05-06.004-size.json',
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
      isLines: true,
      maxAgeMs: 0,
      localTime: false,
      flushIntervalMs: 60_000,
      maxBytes: 10,
      maxBackups: 0,
      now: () => clock++,
    });
    await file.open();
    for (const line of ['1234', '5678', '90', 'ab', 'cd'])
      await file.append(Buffer.from(`${line}\n`), () => {});
    await file.close();
    const names = (await readdir(directory)).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
    expect(texts).toEqual(['1234\n5678\n', '90\nab\ncd\n']);
  });

  it('removes full files that are too old, of older releases too', async () => {
    const day = 24 * 60 * 60 * 1000;
    let clock = Date.UTC(2026, 10, 21, 4, 5, 6, 0);
    const old = ['out-2026-11-11T04-05-06.000.json', 'out-2026-11-18T00-00-00.000-size.json'];
    const kept = 'out-2026-11-20T04-05-06.000.json';
    for (const name of [...old, kept]) await writeFile(join(directory, name), '');
    const file = new RotatingFile({
      path,
      append: true,
      isLines: true,
      maxAgeMs: 2 * day,
      localTime: false,
      flushIntervalMs: 0,
      maxBytes: 4,
      maxBackups: 0,
      now: () => clock++,
    });
    await file.open();
    for (const line of ['abc\n', 'def\n']) await file.append(Buffer.from(line), () => {});
    await file.close();
    expect((await readdir(directory)).sort()).toEqual([
      kept,
      'out-2026-11-21T04-05-06.000-size.json',
      'out.json',
    ]);
  });
});
