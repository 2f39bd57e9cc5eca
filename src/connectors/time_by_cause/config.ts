import { z } from 'zod';
import { byteSize, duration } from '../../config/fields.js';

/** Settings of `time_by_cause`. */
export const timeByCauseConfig = () =>
  z
    .strictObject({
      flush_interval: duration().prefault('60s').describe('How often metrics are sent.'),
      kinds: z
        .array(z.enum(['server', 'consumer', 'client', 'producer', 'internal']))
        .default(['server', 'consumer'])
        .describe('Kinds of spans that are counted. Spans below a counted one repeat a part of its time.'),
      histogram: z
        .enum(['explicit', 'exponential'])
        .default('explicit')
        .describe('Buckets from 100us to 10s, or of exponential width.'),
      temporality: z
        .enum(['cumulative', 'delta'])
        .default('cumulative')
        .describe('Since the start of a series, or since the last flush.'),
      exemplars: z.int().min(0).max(100).default(2).describe('Most spans named on one data point. 0: none.'),
      series_limit: z
        .int()
        .min(0)
        .default(2000)
        .describe(
          'Series of one service; what exceeds it is counted with `otel.metric.overflow=true`. 0: any number.',
        ),
      max_size: byteSize().prefault('32MiB').describe('Memory of all series, likewise.'),
      expiration: duration()
        .prefault('15m')
        .describe('A series without spans for so long is forgotten. 0s: never.'),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (config.flush_interval <= 0) fail("'flush_interval' must be greater than zero");
      if (config.expiration < 0) fail("'expiration' must not be negative");
    });

export type TimeByCauseConfig = z.output<ReturnType<typeof timeByCauseConfig>>;
