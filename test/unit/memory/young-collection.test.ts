import { describe, expect, it } from 'vitest';
import { YoungCollection } from '../../../src/memory/young-collection.js';

describe('YoungCollection', () => {
  it('frees dead buffers once in so many bytes', () => {
    const young = new YoungCollection(4 << 20);
    let peak = 0;
    const before = process.memoryUsage().arrayBuffers;
    let collections = 0;
    for (let i = 0; i < 64; i++) {
      // What a transfer between threads leaves: an object without any other reference.
      structuredClone(new ArrayBuffer(1 << 20));
      if (young.made(1 << 20)) collections++;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }
    expect(collections).toBe(16);
    expect(peak).toBeLessThan(32 << 20);
  });

  it('comes after less when the last time is long ago', () => {
    let now = 0;
    const young = new YoungCollection(16 << 20, 2 << 20, () => now);
    expect(young.made(1 << 20)).toBe(false);
    expect(young.made(1 << 20)).toBe(true);
    now = 10;
    expect(young.made(4 << 20)).toBe(false);
    expect(young.made(12 << 20)).toBe(true);
    now = 1000;
    expect(young.made(2 << 20)).toBe(true);
  });
});
