import { describe, expect, it } from 'vitest';
import { decompressSnappyBlock, decompressSnappyFrames, SnappyError } from '../../../src/transport/snappy.js';

/** Written by github.com/golang/snappy v1.0.0: `Encode` and `NewBufferedWriter`. */
const TEXT = `${'GET /item/42 HTTP/1.1 service.name=shop '.repeat(20)}end`;
const BLOCK =
  'a306a0474554202f6974656d2f343220485454502f312e3120736572766963652e6e616d653d73686f702047fe2800fe2800fe2800fe2800' +
  'fe2800fe2800fe2800fe2800fe2800fe2800fe2800da280008656e64';
const FRAMES = `ff060000734e61507059005800006c3b49a4${BLOCK}`;
const UNCOMPRESSED_FRAME = 'ff060000734e61507059010700006e57f121616263';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('snappy', () => {
  it('reads what the Go implementation writes', () => {
    expect(decompressSnappyBlock(hex(BLOCK), 803).toString()).toBe(TEXT);
    expect(decompressSnappyFrames(hex(FRAMES), 803).toString()).toBe(TEXT);
    expect(decompressSnappyFrames(hex(UNCOMPRESSED_FRAME), 3).toString()).toBe('abc');
    const twoStreams = hex(FRAMES + UNCOMPRESSED_FRAME);
    expect(decompressSnappyFrames(twoStreams, 1000).toString()).toBe(`${TEXT}abc`);
  });

  it('expands literals and copies, also overlapping ones', () => {
    // length 12; literal "abc" (len 3 -> tag 2<<2); copy offset 3 length 9 (kind 1: (9-4)<<2 | 1, offset 3)
    const block = Buffer.from([12, 2 << 2, 0x61, 0x62, 0x63, ((9 - 4) << 2) | 1, 3]);
    expect(decompressSnappyBlock(block, 100).toString()).toBe('abcabcabcabc');
    // the same with a two-byte and a four-byte offset
    const two = Buffer.from([12, 2 << 2, 0x61, 0x62, 0x63, (8 << 2) | 2, 3, 0]);
    expect(decompressSnappyBlock(two, 100).toString()).toBe('abcabcabcabc');
    const four = Buffer.from([12, 2 << 2, 0x61, 0x62, 0x63, (8 << 2) | 3, 3, 0, 0, 0]);
    expect(decompressSnappyBlock(four, 100).toString()).toBe('abcabcabcabc');
  });

  it('expands literals with a length of their own', () => {
    const text = Buffer.alloc(300, 'x');
    const block = Buffer.concat([Buffer.from([0xac, 0x02, 61 << 2, 43, 1]), text]);
    expect(decompressSnappyBlock(block, 300)).toEqual(text);
  });

  it.each([
    ['empty', Buffer.alloc(0)],
    ['literal longer than announced', Buffer.concat([Buffer.from([10, 11 << 2]), Buffer.alloc(12)])],
    ['literal longer than the input', Buffer.from([5, 4 << 2, 1])],
    ['copy before the start', Buffer.from([5, 0, 0x61, 1, 2])],
    ['copy with offset 0', Buffer.from([5, 0, 0x61, 1, 0])],
    ['shorter than announced', Buffer.from([5, 0, 0x61])],
    ['endless length', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
  ])('refuses corrupt input: %s', (_what, input) => {
    expect(() => decompressSnappyBlock(input, 1000)).toThrow('snappy: corrupt input');
  });

  it('refuses before allocating more than allowed', () => {
    const huge = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
    const error = (() => {
      try {
        decompressSnappyBlock(huge, 1000);
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(SnappyError);
    expect((error as SnappyError).tooLarge).toBe(true);
  });

  it('checks the sums of frames and their total size', () => {
    expect(() => decompressSnappyFrames(Buffer.from('nope'), 10)).toThrow('snappy: corrupt input');
    for (const at of [14, 30]) {
      const broken = hex(FRAMES);
      broken[at]! ^= 1;
      expect(() => decompressSnappyFrames(broken, 1000)).toThrow('snappy: corrupt input');
    }
    expect(() => decompressSnappyFrames(hex(FRAMES + UNCOMPRESSED_FRAME), 805)).toThrow('too large');
    expect(() => decompressSnappyFrames(hex(FRAMES).subarray(0, 40), 1000)).toThrow('snappy: corrupt input');
  });

  it('never reads or writes out of range on changed input', () => {
    let refused = 0;
    for (let at = 0; at < BLOCK.length / 2; at++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const bytes = hex(BLOCK);
        bytes[at]! ^= change;
        try {
          expect(decompressSnappyBlock(bytes, 10_000).length).toBeLessThanOrEqual(10_000);
        } catch (error) {
          expect(error).toBeInstanceOf(SnappyError);
          refused += 1;
        }
      }
    }
    expect(refused).toBeGreaterThan(0);
  });
});
