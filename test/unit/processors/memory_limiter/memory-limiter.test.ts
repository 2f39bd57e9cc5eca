import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RetryableError } from '../../../../src/component/errors.js';
import type { Batch } from '../../../../src/component/signal.js';
import { memoryLimiterConfig } from '../../../../src/processors/memory_limiter/config.js';
import { MemoryLimiter } from '../../../../src/processors/memory_limiter/memory-limiter.js';
import { batchOf, testSettings } from '../../../helpers/batches.js';

const MIB = 2 ** 20;

function create(config: Record<string, unknown>) {
  const settings = testSettings({ kind: 'processor', id: 'memory_limiter' });
  const memory = { residentMib: 10, collections: 0, freedMib: 0 };
  const out: Batch[] = [];
  const limiter = new MemoryLimiter(
    settings,
    memoryLimiterConfig().parse({ check_interval: '1s', ...config }),
    { consume: async (batch) => void out.push(batch) },
    {
      resident: () => memory.residentMib * MIB,
      total: () => 1000 * MIB,
      collect: () => {
        memory.collections++;
        memory.residentMib -= memory.freedMib;
      },
    },
  );
  return { settings, memory, out, limiter };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('memory_limiter', () => {
  it('refuses retryably above the soft limit and resumes below it', async () => {
    const { settings, memory, out, limiter } = create({ limit_mib: 100 });
    await limiter.start();
    await limiter.consume(batchOf(1));
    memory.residentMib = 85;
    vi.advanceTimersByTime(1000);
    await expect(limiter.consume(batchOf(2))).rejects.toThrow(
      new RetryableError('data refused due to high memory usage'),
    );
    memory.residentMib = 60;
    vi.advanceTimersByTime(1000);
    await limiter.consume(batchOf(3));
    expect(out.map(({ itemCount }) => itemCount)).toEqual([1, 3]);
    expect(settings.logger.messages().filter((message) => !message.includes('GC'))).toEqual([
      'Memory limiter configured',
      'Memory usage is above soft limit. Refusing data.',
      'Memory usage back within limits. Resuming normal operation.',
    ]);
    expect(settings.logger.lines[0]?.fields).toEqual({
      limit_mib: 100,
      spike_limit_mib: 20,
      check_interval: 1,
    });
    await limiter.shutdown();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('forces a collection above the hard limit, and may need no refusal after it', async () => {
    const { memory, limiter, out } = create({ limit_percentage: 10, spike_limit_percentage: 2 });
    await limiter.start();
    memory.residentMib = 120;
    memory.freedMib = 60;
    vi.advanceTimersByTime(1000);
    expect(memory.collections).toBe(1);
    await limiter.consume(batchOf(1));
    expect(out).toHaveLength(1);
    await limiter.shutdown();
  });

  it('does not collect more often than allowed between the limits', async () => {
    const { memory, limiter } = create({ limit_mib: 100 });
    await limiter.start();
    memory.residentMib = 90;
    vi.advanceTimersByTime(9000);
    expect(memory.collections).toBe(1);
    vi.advanceTimersByTime(3000);
    expect(memory.collections).toBe(2);
    await limiter.shutdown();
  });

  it.each([
    [{}, "'check_interval' must be greater than zero"],
    [{ check_interval: '1s' }, "'limit_mib' or 'limit_percentage' must be greater than zero"],
    [
      { check_interval: '1s', limit_mib: 5, spike_limit_mib: 5 },
      "'spike_limit_mib' must be smaller than 'limit_mib'",
    ],
  ])('%j: %s', (config, message) => {
    const issues = memoryLimiterConfig()
      .safeParse(config)
      .error?.issues.map((issue) => issue.message);
    expect(issues).toContain(message);
  });
});
