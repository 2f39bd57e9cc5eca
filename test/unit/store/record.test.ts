import { describe, expect, it } from 'vitest';
import {
  createRecordHeader,
  RECORD_HEADER_BYTES,
  readRecord,
  scanRecords,
} from '../../../src/store/record.js';

const payloads = Array.from({ length: 6 }, (_, i) => Buffer.from(`batch ${i} `.repeat(i + 1)));
const file = Buffer.concat(
  payloads.flatMap((payload, i) => [createRecordHeader('traces', i, 1000 + i, payload), payload]),
);
/** Where each record ends. */
const ends = payloads.map((_, i) =>
  payloads.slice(0, i + 1).reduce((sum, payload) => sum + RECORD_HEADER_BYTES + payload.length, 0),
);

describe('records', () => {
  it('gives back what was written', () => {
    const scan = scanRecords(file, 0);
    expect(scan.records.map((record) => Buffer.from(record.payload).toString())).toEqual(
      payloads.map(String),
    );
    expect(scan.records.map((record) => [record.signal, record.itemCount, record.writtenMs])).toEqual(
      payloads.map((_, i) => ['traces', i, 1000 + i]),
    );
    expect(scan).toMatchObject({ goodEnd: file.length, corruptBytes: 0, corruptRegions: 0, tornBytes: 0 });
  });

  it('reads everything before a cut, wherever the file ends', () => {
    for (let length = 0; length < file.length; length += 1) {
      const scan = scanRecords(file.subarray(0, length), 0);
      const whole = ends.filter((end) => end <= length).length;
      expect(scan.records.length).toBe(whole);
      expect(scan.goodEnd).toBe(whole === 0 ? 0 : ends[whole - 1]);
      expect(scan.tornBytes).toBe(length - scan.goodEnd);
      expect(scan.corruptRegions).toBe(0);
    }
  });

  it('loses one record to a flipped bit, wherever it is, and measures the damage', () => {
    for (let at = 0; at < file.length; at += 1) {
      const damaged = Buffer.from(file);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      const scan = scanRecords(damaged, 0);
      const hit = ends.findIndex((end) => at < end);
      expect(scan.records.map((record) => record.itemCount)).toEqual(
        payloads.map((_, i) => i).filter((i) => i !== hit),
      );
      const size = (ends[hit] ?? 0) - (ends[hit - 1] ?? 0);
      const isLast = hit === payloads.length - 1;
      expect(isLast ? scan.tornBytes : scan.corruptBytes).toBe(size);
      expect(scan.corruptRegions).toBe(isLast ? 0 : 1);
    }
  });

  it('finds the records behind foreign bytes that look like a header', () => {
    const trap = Buffer.concat([Buffer.from('KREC'), Buffer.alloc(40, 0xff)]);
    const scan = scanRecords(Buffer.concat([trap, file]), 0);
    expect(scan.records.length).toBe(payloads.length);
    expect(scan.corruptBytes).toBe(trap.length);
  });

  it('refuses positions outside of the file', () => {
    expect(readRecord(file, -1)).toBeUndefined();
    expect(readRecord(file, file.length)).toBeUndefined();
    expect(readRecord(file, file.length - 4)).toBeUndefined();
  });
});
