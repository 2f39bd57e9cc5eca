import { describe, expect, it } from 'vitest';
import { Decoder } from '../../../src/observer/decoder.js';
import { addressText } from '../../../src/observer/socket-tuples.js';
import type { EventSink } from '../../../src/observer/types.js';
import {
  closeRecord,
  dataRecord,
  execRecord,
  exitRecord,
  header,
  openRecord,
  sampleRecord,
  slab,
  waitRecord,
} from '../../helpers/kernel-records.js';

/** Decodes and keeps a plain copy of each record, by method. */
function decode(...records: Buffer[]) {
  const seen: [name: string, record: object][] = [];
  const keep = (name: string) => (record: object) => {
    seen.push([name, { ...record }]);
  };
  const sink: EventSink = {
    netData: (record) => {
      const { bytes, payloadStart, payloadEnd, tailStart } = record;
      seen.push([
        'netData',
        {
          ...record,
          tuple: record.tuple,
          text: bytes.toString('latin1', payloadStart, payloadEnd),
          tail: bytes.toString('latin1', tailStart, tailStart + 8),
        },
      ]);
    },
    netOpen: keep('netOpen'),
    netClose: keep('netClose'),
    wait: keep('wait'),
    sample: keep('sample'),
    exec: keep('exec'),
    exit: keep('exit'),
  };
  const decoder = new Decoder(sink);
  const bytes = slab(records);
  decoder.decode(bytes, bytes.length);
  return { seen, decoder };
}

describe('Decoder', () => {
  it('reads socket operations', () => {
    const { seen } = decode(
      dataRecord({
        cookie: 2 ** 40 + 1,
        position: 0xffff_fff0,
        turn: 3,
        egress: true,
        role: 1,
        flags: 1,
        time: 2 ** 50 + 7,
        payload: Buffer.from('hello world'),
        captured: 5,
      }),
    );
    expect(seen).toMatchObject([
      [
        'netData',
        {
          time: 2 ** 50 + 7,
          tgid: 100,
          tid: 101,
          socketCookie: 2 ** 40 + 1,
          position: 0xffff_fff0,
          length: 11,
          turn: 3,
          egress: true,
          continuation: true,
          noMemory: false,
          role: 1,
          text: 'hello',
          tail: 'lo world',
          tuple: { family: 'inet', localAddress: '127.0.0.1', localPort: 8080, remotePort: 40_000 },
        },
      ],
    ]);
  });

  it('reads connections, waits, samples and processes, in order', () => {
    const { seen, decoder } = decode(
      openRecord({ cookie: 5, role: 2 }),
      closeRecord({ cookie: 5, turns: 8, error: 104 }),
      waitRecord({ tgid: 1, tid: 2, off: 100, on: 300, syscall: 0, fdKind: 1, socketCookie: 5 }),
      waitRecord({
        tgid: 1,
        tid: 2,
        off: 100,
        on: 300,
        fdKind: 2,
        file: { inode: 9, fd: 4, name: 'data.db' },
      }),
      sampleRecord({
        tgid: 1,
        tid: 2,
        comm: 'worker',
        time: 5,
        kernel: [0xffffffff81000000n],
        user: [1n, 2n],
      }),
      execRecord({ tgid: 7, parentTgid: 6, comm: 'sh' }),
      exitRecord({ tgid: 7, tid: 8, last: false }),
    );
    expect(seen).toMatchObject([
      ['netOpen', { socketCookie: 5, role: 2 }],
      ['netClose', { socketCookie: 5, turns: 8, error: 104 }],
      [
        'wait',
        { tgid: 1, tid: 2, off: 100, on: 300, socket: { cookie: 5, listening: false }, file: undefined },
      ],
      ['wait', { syscall: -1, socket: undefined, file: { inode: 9, fd: 4, name: 'data.db' } }],
      ['sample', { comm: 'worker', kernelStack: [0xffffffff81000000n], userStack: [1n, 2n] }],
      ['exec', { tgid: 7, parentTgid: 6, comm: 'sh' }],
      ['exit', { tgid: 7, tid: 8, last: false }],
    ]);
    expect(decoder.records).toBe(7);
  });

  it('skips kinds it does not know, by their size', () => {
    const { seen, decoder } = decode(header(999, 40, 1), openRecord({ cookie: 1, role: 1 }));
    expect(seen).toHaveLength(1);
    expect([decoder.unknown, decoder.malformed]).toEqual([1, 0]);
  });

  it('ends a slab whose sizes make no sense, and counts it', () => {
    for (const size of [0, 8, 17, 4096]) {
      const broken = openRecord({ cookie: 1, role: 1 });
      broken.writeUInt32LE(size, 4);
      const { seen, decoder } = decode(openRecord({ cookie: 1, role: 1 }), broken);
      expect([size, seen.length, decoder.malformed]).toEqual([size, 1, 1]);
    }
  });

  it('drops a record that claims more payload than it has', () => {
    const lying = dataRecord({
      cookie: 1,
      position: 0,
      turn: 1,
      egress: false,
      payload: Buffer.from('12345678'),
    });
    lying.writeUInt16LE(9, 44);
    const { seen, decoder } = decode(lying);
    expect([seen.length, decoder.malformed]).toEqual([0, 1]);
  });
});

describe('addressText', () => {
  const text = (hex: string) => addressText(Buffer.from(hex.replaceAll(' ', ''), 'hex'), 0);

  it('writes addresses as RFC 5952 does', () => {
    expect(text('00000000 00000000 0000ffff 0a000001')).toBe('10.0.0.1');
    expect(text('00000000 00000000 00000000 00000001')).toBe('::1');
    expect(text('00000000 00000000 00000000 00000000')).toBe('::');
    expect(text('20010db8 00000000 00010000 00000001')).toBe('2001:db8::1:0:0:1');
    expect(text('20010db8 00000001 00010001 00010001')).toBe('2001:db8:0:1:1:1:1:1');
    expect(text('fe800000 00000000 00000000 00000000')).toBe('fe80::');
  });
});
