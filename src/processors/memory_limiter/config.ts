import { z } from 'zod';
import { duration } from '../../config/fields.js';
import { collectorType } from '../../config/schema-walk.js';

/** Settings of `memory_limiter`; names, defaults and sentences are the Collector's. */
export const memoryLimiterConfig = () => collectorType('memorylimiter.Config', fields());

const fields = () =>
  z
    .strictObject({
      check_interval: duration()
        .prefault('0s')
        .describe('How often memory is measured; must be set, 1s is good. Between checks memory may grow.'),
      limit_mib: z.uint32().default(0).describe('Hard limit for the resident memory of the process, in MiB.'),
      spike_limit_mib: z
        .uint32()
        .default(0)
        .describe(
          'Largest growth to expect between two checks. 0 means 20 % of the limit. Soft limit = limit - this.',
        ),
      limit_percentage: z
        .uint32()
        .default(0)
        .describe(
          'Hard limit as a part of the memory that this machine or its cgroup has; `limit_mib` wins.',
        ),
      spike_limit_percentage: z.uint32().default(0).describe('The same for the spike.'),
      min_gc_interval_when_soft_limited: duration()
        .prefault('10s')
        .describe('Shortest time between two forced collections while between the limits.'),
      min_gc_interval_when_hard_limited: duration()
        .prefault('0s')
        .describe('Shortest time between two forced collections while above the hard limit.'),
      max_gc_interval_when_soft_limited: duration().prefault('30s').describe('Accepted; changes nothing.'),
      max_gc_interval_when_hard_limited: duration().prefault('30s').describe('Accepted; changes nothing.'),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (config.check_interval <= 0) fail("'check_interval' must be greater than zero");
      if (config.limit_mib <= 0 && config.limit_percentage <= 0) {
        fail("'limit_mib' or 'limit_percentage' must be greater than zero");
      }
      if (config.limit_percentage > 100 || config.spike_limit_percentage > 100) {
        fail(
          "'limit_percentage' and 'spike_limit_percentage' must be greater than zero and less than or equal to hundred",
        );
      }
      if (config.limit_mib > 0 && config.limit_mib <= config.spike_limit_mib) {
        fail("'spike_limit_mib' must be smaller than 'limit_mib'");
      }
      if (config.limit_percentage > 0 && config.limit_percentage <= config.spike_limit_percentage) {
        fail("'spike_limit_percentage' must be smaller than 'limit_percentage'");
      }
      if (config.min_gc_interval_when_soft_limited < config.min_gc_interval_when_hard_limited) {
        fail("'min_gc_interval_when_soft_limited' should be larger than 'min_gc_interval_when_hard_limited'");
      }
    });

export type MemoryLimiterConfig = z.output<ReturnType<typeof memoryLimiterConfig>>;
