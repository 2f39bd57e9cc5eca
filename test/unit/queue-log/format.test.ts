import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { crc32c } from '../../../src/transport/crc32c.js';
import { CrashingDisk } from '../../helpers/queue/crashing-disk.js';
import { numbersOf, openLog, takeAll } from '../../helpers/queue/open-log.js';

const FIXTURE = fileURLToPath(new URL('../../fixtures/queue-v1/', import.meta.url));

it('reads files of version 1 as they were written then', async () => {
  const disk = new CrashingDisk();
  for (const name of readdirSync(FIXTURE)) {
    await disk.create(name);
    disk.replace(name, readFileSync(FIXTURE + name));
  }
  const { log } = await openLog(disk);
  // Of 8 records, 0 and 5 had been delivered.
  expect(log.recovery.waiting).toEqual({ records: 6, items: 27, bytes: 5 * 24 + 4 });
  expect(log.recovery.lost).toEqual({ items: 0, regions: 0, bytes: 0 });
  const taken = await takeAll(log);
  expect(numbersOf(taken)).toEqual([1, 2, 3, 4, 6, 7]);
  expect(taken[2]!.batch).toMatchObject({
    signal: 'logs',
    itemCount: 2,
    origin: { receiver: 'otlp/x', joined: true, metadata: { tenant: ['blue'] } },
  });
});

it('has the checksums of RFC 3720 (appendix B.4)', () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
  const text = Buffer.from('123456789');
  expect(crc32c(text)).toBe(0xe3069283);
  for (let cut = 0; cut <= text.length; cut++) {
    expect(crc32c(text.subarray(cut), crc32c(text.subarray(0, cut)))).toBe(0xe3069283);
  }
});
