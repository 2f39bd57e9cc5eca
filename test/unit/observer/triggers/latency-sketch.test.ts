import { describe, expect, it } from 'vitest';
import { GENERATION, LatencySketch } from '../../../../src/observer/triggers/latency-sketch.js';

const MS = 1e6;

describe('LatencySketch', () => {
  it('knows nothing before it has seen enough', () => {
    const sketch = new LatencySketch(20);
    for (let i = 0; i < 19; i++) sketch.add(MS);
    expect(sketch.p95).toBeUndefined();
    sketch.add(MS);
    expect(sketch.p95).toBeDefined();
  });

  it('finds no duration above the others when all are equal', () => {
    const sketch = new LatencySketch(20);
    for (let i = 0; i < 20; i++) sketch.add(3_333_333);
    expect(sketch.p95).toBeGreaterThanOrEqual(3_333_333 * (1 - 1e-9));
    expect(sketch.p95).toBeLessThan(3_333_333 * 1.001);
  });

  it('is within a bucket of the true percentile', () => {
    const sketch = new LatencySketch(100);
    // 1 to 1000 ms in an order that is not theirs.
    for (let i = 0; i < GENERATION; i++) sketch.add(((i * 617) % GENERATION) * MS + MS);
    expect(sketch.p95! / (950 * MS)).toBeGreaterThan(0.99);
    expect(sketch.p95! / (950 * MS)).toBeLessThan(1.1);
  });

  it('forgets: after a change it follows, within two generations', () => {
    const sketch = new LatencySketch(100);
    for (let i = 0; i < GENERATION; i++) sketch.add(MS);
    for (let i = 0; i < 99; i++) sketch.add(50 * MS);
    expect(sketch.p95).toBeLessThan(2 * MS);
    sketch.add(50 * MS);
    expect(sketch.p95).toBeGreaterThan(49 * MS);
  });

  it('takes the same memory for any durations', () => {
    const sketch = new LatencySketch(100);
    for (let i = 0; i < 950; i++) sketch.add(10 ** (i % 18));
    expect(sketch.maxBytes).toBe(1024);
    expect(sketch.p95).toBeGreaterThan(1e16);
  });
});
