import { describe, expect, it } from 'vitest';
import { YoungCollection } from '../../../src/observer/young-collection.js';

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
});
