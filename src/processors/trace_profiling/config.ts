import { z } from 'zod';
import { byteSize, duration } from '../../config/fields.js';
import { triggersConfig } from './triggers-config.js';

/** Settings of `trace_profiling`. */
export const traceProfilingConfig = () =>
  z
    .strictObject({
      hold: duration()
        .prefault('2s')
        .describe(
          'Longest time that spans are held back until the kernel has told what their threads did. Most spans arrive late enough to wait for nothing.',
        ),
      acknowledge: z
        .enum(['received', 'forwarded'])
        .default('received')
        .describe(
          'When a sender is answered: at once, or when the next component has taken its batch. The latter loses nothing when the agent is killed, but senders wait for `hold`.',
        ),
      apm_wait: duration()
        .prefault('6s')
        .describe(
          'How long a request seen in the kernel waits for the span of its process. SDKs send every 5s by default; longer than theirs, or requests appear twice.',
        ),
      min_confidence: z
        .number()
        .min(0)
        .max(1)
        .default(0.6)
        .describe('What is attached must be at least this sure. Below it a span leaves as it came.'),
      max_events: z
        .int()
        .min(16)
        .max(1024)
        .default(64)
        .describe('Most events on one span. The longest are told one by one, the rest merged by class.'),
      max_held_bytes: byteSize()
        .prefault('64MiB')
        .describe('Memory for spans that are held back. Above it the oldest leave unjoined.'),
      max_held_exchanges: z
        .int()
        .min(100)
        .default(50_000)
        .describe('Most requests seen in the kernel that wait for a span. Above it the oldest leave early.'),
      timeline: byteSize()
        .prefault('40MiB')
        .describe('Memory for the recent past of all threads. More reaches further back under load.'),
      window: duration()
        .prefault('60s')
        .describe('How long finished requests are remembered, to recognise spans that come late.'),
      triggers: triggersConfig()
        .prefault({})
        .describe('Which spans get stacks and events. The totals are on all joined spans.'),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (config.hold <= 0) fail("'hold' must be greater than zero");
      if (config.max_held_bytes <= 0) fail("'max_held_bytes' must be greater than zero");
      if (config.timeline < 1024 * 1024) fail("'timeline' must be at least 1MiB");
      if (config.window < config.apm_wait) fail("'window' must not be shorter than 'apm_wait'");
    });

export type TraceProfilingConfig = z.output<ReturnType<typeof traceProfilingConfig>>;
