import { totalmem } from 'node:os';
import { defineProcessor } from '../../component/factory.js';
import { memoryLimiterConfig } from './config.js';
import { MemoryLimiter } from './memory-limiter.js';

export const memoryLimiterProcessor = defineProcessor({
  type: 'memory_limiter',
  stability: 'beta',
  description: 'Refuses data, so that its senders keep it, while the process uses too much memory.',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  config: memoryLimiterConfig,
  create: (settings, config, _signal, next) =>
    new MemoryLimiter(settings, config, next, {
      resident: () => process.memoryUsage.rss(),
      // The limit of the cgroup where there is one; 0 or a number beyond the machine's memory when there is none.
      total: () => Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem()),
      // Only there when Node.js runs with --expose-gc.
      collect: globalThis.gc === undefined ? undefined : () => globalThis.gc?.(),
    }),
});
