import { describe, expect, it } from 'vitest';
import { RetryableError } from '../../../src/component/errors.js';
import { FORMAT_VERSION, QueueVersionError } from '../../../src/queue-log/format.js';
import { crc32c } from '../../../src/transport/crc32c.js';
import { until } from '../../helpers/pipeline.js';
import { CrashingDisk, errno } from '../../helpers/queue/crashing-disk.js';
import { numbered, numbersOf, openLog, takeAll } from '../../helpers/queue/open-log.js';
import { seededRandom } from '../../helpers/random.js';

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

const segmentsOf = (disk: CrashingDisk): string[] => disk.names().filter((name) => name.endsWith('.kq'));

describe('append and take', () => {
  it('gives out what was appended, in order, from memory and from disk', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk);
    // 4 MB: more than is kept in memory, in many segments.
    await Promise.all(range(0, 400).map((n) => log.append(numbered(n, 2, 10_000))));
    const taken = await takeAll(log);
    expect(numbersOf(taken)).toEqual(range(0, 400));
    expect(taken.every(({ batch }) => batch.itemCount === 2 && batch.bytes.length === 10_004)).toBe(true);
    expect(taken[399]!.batch.origin).toEqual({ receiver: 'test' });
  });

  it('keeps signal, pieces and origin', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk);
    const origin = {
      receiver: 'otlp/2',
      joined: true,
      connection: { remoteAddress: '::1', remotePort: 1, localAddress: '::1', localPort: 2 },
      metadata: { tenant: ['a', 'b'] },
    };
    const parts = [Buffer.from('one'), Buffer.from('two')];
    await log.append({ signal: 'logs', bytes: Buffer.from('onetwo'), parts, itemCount: 3, origin });
    await log.close();
    const [stored] = await takeAll((await openLog(disk)).log);
    expect(stored!.batch).toEqual({ signal: 'logs', bytes: Buffer.from('onetwo'), itemCount: 3, origin });
  });

  it('syncs before it says that a batch is kept, once for all that come together', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk, { segmentBytes: 2 ** 20 });
    await log.append(numbered(0));
    const before = disk.syncs;
    await Promise.all(range(1, 101).map((n) => log.append(numbered(n))));
    // One group was on its way when the others came.
    expect(disk.syncs - before).toBeLessThanOrEqual(2);
    expect(disk.syncs).toBeGreaterThan(before);
    // Nothing that was not synced survives this cut.
    const after = await openLog(disk.cut(() => 0));
    expect(after.log.recovery.waiting).toEqual({ records: 101, items: 101, bytes: 404 });
  });

  it('does not wait for the disk without fsync', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk, { fsync: false });
    await Promise.all(range(0, 50).map((n) => log.append(numbered(n))));
    await log.close();
    expect(disk.syncs).toBe(0);
    expect(numbersOf(await takeAll((await openLog(disk)).log))).toEqual(range(0, 50));
  });

  it('deletes segments when all in them is done, in whatever order', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk);
    for (const n of range(0, 40)) await log.append(numbered(n, 1, 500));
    expect(segmentsOf(disk).length).toBeGreaterThan(4);
    const taken = await takeAll(log);
    for (const stored of taken.reverse()) log.done(stored);
    await log.close();
    expect(disk.names()).toEqual([]);
  });
});

describe('restart', () => {
  it('gives out again what was taken and not done, and nothing that was done', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk);
    await Promise.all(range(0, 100).map((n) => log.append(numbered(n, 3, 100))));
    const taken = await takeAll(log);
    for (const [index, stored] of taken.entries()) if (index % 3 !== 0) log.done(stored);
    await log.close();
    const again = await openLog(disk);
    expect(again.log.recovery.waiting).toEqual({ records: 34, items: 102, bytes: 34 * 104 });
    expect(numbersOf(await takeAll(again.log))).toEqual(range(0, 100).filter((n) => n % 3 === 0));
  });

  it('takes a segment without a header for what it is: one that was just being made', async () => {
    const disk = new CrashingDisk();
    await disk.create('/queue/0000000007-0badcafe.kq');
    const { log } = await openLog(disk);
    expect(log.recovery.lost).toEqual({ items: 0, regions: 0, bytes: 0 });
    await log.append(numbered(1));
    expect(numbersOf(await takeAll(log))).toEqual([1]);
    await log.close();
  });

  it('does not look at clocks that jump', async () => {
    const disk = new CrashingDisk();
    let calls = 0;
    const now = (): number => [2e12, 0, 1e12][calls++ % 3]!;
    const { log } = await openLog(disk, { now });
    for (const n of range(0, 30)) await log.append(numbered(n, 1, 300));
    await log.close();
    expect(calls).toBeGreaterThan(20);
    expect(numbersOf(await takeAll((await openLog(disk, { now })).log))).toEqual(range(0, 30));
  });

  it('removes a journal whose segment is gone', async () => {
    const disk = new CrashingDisk();
    await disk.create('/queue/0000000007-0badcafe.ack');
    const { log } = await openLog(disk);
    expect(disk.names()).toEqual([]);
    await log.close();
  });

  it.each([
    1, 2, 3, 4, 5, 6, 7, 8,
  ])('loses nothing by a power cut or a kill at any moment (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    let disk = new CrashingDisk();
    const acknowledged = new Set<number>();
    const offered = new Set<number>();
    const done = new Set<number>();
    let next = 0;
    let cuts = 0;
    for (let run = 0; run < 12; run++) {
      const { log, lost } = await openLog(disk);
      expect(log.recovery.lost.items).toBe(0);
      const cutAt = disk.calls + 1 + Math.floor(random() * 60);
      // From here on the "process" is dead: every call fails and nothing it says counts.
      let dead = false;
      disk.fail = (_operation, _path, call) => {
        dead ||= call >= cutAt;
        return dead ? errno('EIO') : undefined;
      };
      const open: Promise<void>[] = [];
      for (let step = 0; step < 200 && !dead; step++) {
        if (random() < 0.6) {
          const n = next++;
          offered.add(n);
          const appended = log.append(numbered(n, 1, Math.floor(random() * 600))).then(
            () => {
              if (!dead) acknowledged.add(n);
            },
            () => {},
          );
          if (random() < 0.3) await appended;
          else open.push(appended);
        } else {
          const stored = await log.take();
          if (stored !== undefined && !dead) {
            const [n] = numbersOf([stored]);
            expect(offered.has(n!)).toBe(true);
            if (random() < 0.7) {
              done.add(n!);
              log.done(stored);
            }
          }
        }
      }
      await Promise.all(open);
      expect(lost).toEqual([]);
      if (dead) cuts++;
      disk.fail = () => undefined;
      disk = random() < 0.5 ? disk.cut(random) : disk.kill();
    }
    expect(cuts).toBeGreaterThan(3);
    const { log } = await openLog(disk);
    const rest = new Set(numbersOf(await takeAll(log)));
    expect([...acknowledged].filter((n) => !done.has(n) && !rest.has(n))).toEqual([]);
    expect([...rest].filter((n) => !offered.has(n))).toEqual([]);
  });
});

/** A log of 30 records of 1 to 5 items, some of them delivered, in several segments. */
async function damagedLog(damage: (bytes: Buffer, name: string) => Buffer, name: 'first' | 'last') {
  const disk = new CrashingDisk();
  const { log } = await openLog(disk, { segmentBytes: 1024 });
  for (const n of range(0, 30)) await log.append(numbered(n, 1 + (n % 5), 64));
  const taken = await takeAll(log);
  for (const stored of taken.slice(0, 3)) log.done(stored);
  for (const stored of taken.slice(28, 29)) log.done(stored);
  await log.close();
  const total = range(0, 30).reduce((sum, n) => sum + 1 + (n % 5), 0);
  const doneItems = [0, 1, 2, 28].reduce((sum, n) => sum + 1 + (n % 5), 0);
  const segments = segmentsOf(disk);
  const victim = name === 'first' ? segments[0]! : segments.at(-1)!;
  disk.replace(victim, damage(disk.content(victim), victim));
  return { disk, waiting: total - doneItems, victim };
}

async function delivered(disk: CrashingDisk): Promise<{ items: number; lost: number; numbers: number[] }> {
  const { log, lost } = await openLog(disk);
  const taken = await takeAll(log);
  const found = lost.reduce((sum, { items }) => sum + items, 0);
  await log.close();
  return {
    items: taken.reduce((sum, { batch }) => sum + batch.itemCount, 0),
    lost: log.recovery.lost.items + found,
    numbers: numbersOf(taken),
  };
}

describe('damage', () => {
  it.each([
    'first',
    'last',
  ] as const)('counts what a flipped bit anywhere in the %s segment costs', async (which) => {
    const { disk, waiting, victim } = await damagedLog((bytes) => bytes, which);
    const whole = disk.content(victim);
    for (let at = 0; at < whole.length; at++) {
      const copy = disk.kill();
      const bytes = Buffer.from(whole);
      bytes[at] = bytes[at]! ^ (1 << (at % 8));
      copy.replace(victim, bytes);
      const result = await delivered(copy);
      expect(result.items + result.lost, `byte ${at}`).toBe(waiting);
      // One record at most.
      expect(result.lost, `byte ${at}`).toBeLessThanOrEqual(5);
      // It is counted once.
      expect((await delivered(copy)).lost, `byte ${at} again`).toBe(0);
    }
  });

  it.each([
    'first',
    'last',
  ] as const)('counts what is missing when the %s segment is cut anywhere', async (which) => {
    const { disk, waiting, victim } = await damagedLog((bytes) => bytes, which);
    const whole = disk.content(victim);
    for (let length = 0; length < whole.length; length++) {
      const copy = disk.kill();
      copy.replace(victim, whole.subarray(0, length));
      const result = await delivered(copy);
      expect(result.items + result.lost, `cut at ${length}`).toBe(waiting);
      expect((await delivered(copy)).lost, `cut at ${length} again`).toBe(0);
    }
  });

  it.each([1, 2, 3])('survives random bytes in every file (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    for (let round = 0; round < 60; round++) {
      const { disk } = await damagedLog((bytes) => bytes, 'first');
      for (const name of disk.names()) {
        const bytes = Buffer.from(disk.content(name));
        for (let hits = Math.floor(random() * 4); hits > 0; hits--) {
          const at = Math.floor(random() * bytes.length);
          const length = Math.floor(random() * 200);
          for (let i = at; i < Math.min(bytes.length, at + length); i++)
            bytes[i] = Math.floor(random() * 256);
        }
        disk.replace(name, bytes);
      }
      const { numbers } = await delivered(disk);
      // In order, and nothing twice.
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      // The log goes on.
      const { log } = await openLog(disk);
      await log.append(numbered(99));
      expect(numbersOf(await takeAll(log)).at(-1)).toBe(99);
    }
  });

  it('costs a repeated delivery when it is in a journal', async () => {
    const { disk, waiting } = await damagedLog((bytes) => bytes, 'first');
    const journal = disk.names().find((name) => name.endsWith('.ack'))!;
    const bytes = Buffer.from(disk.content(journal));
    // Behind the fixed entries: the first note of a delivery, of one item.
    bytes[2 * 24 + 4]! ^= 1;
    disk.replace(journal, bytes);
    const { log } = await openLog(disk);
    expect(log.recovery).toMatchObject({ damagedNotes: 1, lost: { items: 0 } });
    expect(log.recovery.waiting.items).toBe(waiting + 1);
  });

  it('is found while reading, too, and reported with what it cost', async () => {
    const disk = new CrashingDisk();
    const { log, lost } = await openLog(disk, { segmentBytes: 2 ** 22 });
    for (const n of range(0, 30)) await log.append(numbered(n, 2, 100_000));
    const [name] = segmentsOf(disk);
    // In the body of record 20, and in the header of record 25; the first ten are in memory.
    const bytes = disk.content(name!);
    const size = (bytes.length - 32) / 30;
    bytes[32 + 20 * size + 1000]! ^= 0x10;
    bytes[32 + 25 * size + 9]! ^= 0x10;
    expect(numbersOf(await takeAll(log))).toEqual(range(0, 30).filter((n) => n !== 20 && n !== 25));
    expect(lost.map(({ records, items }) => [records, items])).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('is not repaired with bytes that a sender wrote into its data', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk, { segmentBytes: 2 ** 20 });
    await log.append(numbered(1, 1, 100));
    const [name] = segmentsOf(disk);
    const record = Buffer.from(disk.content(name!).subarray(32));
    await log.close();
    // Another log, whose only record contains a whole record of the first one.
    const target = new CrashingDisk();
    const other = await openLog(target, { segmentBytes: 2 ** 20 });
    await other.log.append({ signal: 'traces', bytes: record, itemCount: 7, origin: { receiver: 'test' } });
    await other.log.append(numbered(2));
    await other.log.close();
    const [victim] = segmentsOf(target);
    const bytes = Buffer.from(target.content(victim!));
    bytes[40]! ^= 1;
    target.replace(victim!, bytes);
    const result = await delivered(target);
    expect(result).toEqual({ items: 1, lost: 7, numbers: [2] });
  });
});

describe('versions', () => {
  const withVersion = (version: number) => (bytes: Buffer) => {
    const changed = Buffer.from(bytes);
    changed.writeUInt16LE(version, 8);
    changed.writeUInt32LE(crc32c(changed, 0, 0, 28), 28);
    return changed;
  };

  it.each([
    ['newer', FORMAT_VERSION + 1],
    ['older', 0],
  ])('refuses a %s one and changes nothing', async (word, version) => {
    const { disk, victim } = await damagedLog(withVersion(version), 'last');
    const before = disk.names().map((name) => [name, disk.content(name).toString('hex')]);
    await expect(openLog(disk)).rejects.toThrow(QueueVersionError);
    await expect(openLog(disk)).rejects.toThrow(`format version ${version}, which is ${word} than version 1`);
    expect(disk.names().map((name) => [name, disk.content(name).toString('hex')])).toEqual(before);
    // The program that knows the version still has everything.
    disk.replace(victim, withVersion(FORMAT_VERSION)(disk.content(victim)));
    expect((await delivered(disk)).lost).toBe(0);
  });
});

describe('a disk that fails', () => {
  it('refuses while it is full, takes nothing back that it refused, and goes on when there is room', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk);
    await log.append(numbered(1));
    let hits = 0;
    disk.fail = (operation, path) => {
      if (operation !== 'write' || !path.endsWith('.kq')) return undefined;
      hits++;
      return errno('ENOSPC');
    };
    const refused = [2, 3, 4].map((n) => log.append(numbered(n)));
    for (const one of refused) {
      await expect(one).rejects.toThrow(RetryableError);
      await expect(one).rejects.toThrow('ENOSPC');
    }
    expect(hits).toBeGreaterThan(0);
    disk.fail = () => undefined;
    await log.append(numbered(5));
    expect(numbersOf(await takeAll(log))).toEqual([1, 5]);
    const again = await openLog(disk.kill());
    expect(again.log.recovery.lost.items).toBe(0);
    expect(numbersOf(await takeAll(again.log))).toEqual([1, 5]);
  });

  it('keeps nothing behind a sync that failed', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk);
    await log.append(numbered(1));
    const [first] = segmentsOf(disk);
    disk.fail = (operation) => (operation === 'sync' ? errno('EIO') : undefined);
    await expect(log.append(numbered(2))).rejects.toThrow('EIO');
    disk.fail = () => undefined;
    await log.append(numbered(3));
    expect(segmentsOf(disk)).toHaveLength(2);
    expect(segmentsOf(disk)[0]).toBe(first);
    expect(numbersOf(await takeAll(log))).toEqual([1, 3]);
  });

  it('remembers deliveries that it could not note, and notes them later', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk);
    await Promise.all([1, 2, 3].map((n) => log.append(numbered(n))));
    disk.fail = (operation, path) =>
      path.endsWith('.ack') && operation === 'write' ? errno('ENOSPC') : undefined;
    const taken = await takeAll(log);
    log.done(taken[0]!);
    await new Promise((resolve) => setImmediate(resolve));
    disk.fail = () => undefined;
    log.done(taken[1]!);
    await log.close();
    expect(numbersOf(await takeAll((await openLog(disk)).log))).toEqual([3]);
  });

  it('makes a directory anew that somebody deleted, and reports what was in it', async () => {
    const disk = new CrashingDisk();
    const { log, lost } = await openLog(disk, { segmentBytes: 2 ** 20 });
    for (const n of range(0, 40)) await log.append(numbered(n, 1, 100_000));
    const before = segmentsOf(disk);
    expect(before.length).toBeGreaterThan(2);
    disk.clear();
    await log.append(numbered(100));
    expect(segmentsOf(disk).length).toBeGreaterThan(0);
    const numbers = numbersOf(await takeAll(log));
    const lostItems = lost.reduce((sum, { items }) => sum + items, 0);
    expect(numbers.at(-1)).toBe(100);
    expect(numbers.length + lostItems).toBe(41);
    expect(lostItems).toBeGreaterThan(0);
  });
});

describe('closing', () => {
  it('refuses what comes later, and ignores late deliveries', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk);
    await log.append(numbered(1));
    const stored = await log.take();
    await Promise.all([log.close(), log.close()]);
    await expect(log.append(numbered(2))).rejects.toThrow(RetryableError);
    log.done(stored!);
    await until(() => true);
    expect(numbersOf(await takeAll((await openLog(disk)).log))).toEqual([1]);
  });

  it('waits for appends that are on their way', async () => {
    const disk = new CrashingDisk();
    const { log } = await openLog(disk);
    const appended = Promise.all(range(0, 20).map((n) => log.append(numbered(n))));
    await log.close();
    await appended;
    expect((await openLog(disk)).log.recovery.waiting.records).toBe(20);
  });
});
