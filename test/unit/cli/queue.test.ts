import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { UsageError } from '../../../src/cli/command.js';
import { queueCommand } from '../../../src/cli/queue.js';
import { NODE_FILES } from '../../../src/queue-log/queue-files.js';
import { lockQueue } from '../../../src/queue-log/queue-lock.js';
import { numbered, openLog } from '../../helpers/queue/open-log.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kindling-inspect-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function inspect(...args: string[]): Promise<{ code: number; out: string }> {
  let out = '';
  const io = { env: {}, out: (text: string) => (out += text), err: () => {} };
  return { code: await queueCommand(args, io), out };
}

async function filled(): Promise<string> {
  const directory = join(root, 'exporter_otlp__traces.queue');
  const { log } = await openLog(NODE_FILES, { lock: lockQueue }, directory);
  for (let n = 0; n < 20; n++) await log.append(numbered(n, 2, 500));
  const first = await log.take();
  log.done(first!);
  await log.close();
  return directory;
}

it('tells what waits, for a storage directory and for one queue', async () => {
  const directory = await filled();
  const { code, out } = await inspect('inspect', root);
  expect(code).toBe(0);
  expect(out).toContain('waiting    19 batches, 38 items');
  expect(out).toContain('used by    nobody');
  expect(out).toContain('since      2023-11-14T22:13:20.000Z');
  expect((await inspect('inspect', directory)).out).toBe(out);
});

it('tells who uses a queue, and changes nothing', async () => {
  const directory = await filled();
  const lock = await lockQueue(directory);
  const before = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'hex'));
  expect((await inspect('inspect', root)).out).toContain(`used by    pid ${process.pid}`);
  expect(readdirSync(directory).map((name) => readFileSync(join(directory, name), 'hex'))).toEqual(before);
  await lock.release();
});

it('tells damage as JSON, with exit code 1', async () => {
  const directory = await filled();
  const name = readdirSync(directory).find((one) => one.endsWith('.kq'))!;
  const bytes = readFileSync(join(directory, name));
  bytes[1400]! ^= 1;
  writeFileSync(join(directory, name), bytes);
  const { code, out } = await inspect('inspect', root, '--json');
  expect(code).toBe(1);
  const [queue] = JSON.parse(out).queues;
  expect(queue).toMatchObject({ waitingRecords: 18, waitingItems: 36, lostItems: 2 });
  expect(queue.segments[0]).toMatchObject({ damagedRegions: 1, lostItems: 2 });
  expect((await inspect('inspect', root)).out).toContain('1 places');
});

it('says what is wrong with its arguments and with directories', async () => {
  await expect(inspect()).rejects.toThrow(UsageError);
  await expect(inspect('inspect', join(root, 'missing'))).rejects.toThrow('ENOENT');
  expect((await inspect('inspect', root)).out).toBe(`No queues in ${root}.\n`);
});
