import { z } from 'zod';
import { duration } from '../../config/fields.js';
import { GENERATION } from '../../observer/triggers/latency-sketch.js';
import type { TriggerConfig } from '../../observer/triggers/trigger-types.js';

const MAX_NAMES = 100;
const MAX_TRACE_IDS = 1000;
const NS_PER_MS = 1e6;

/** Settings of `trace_profiling` under `triggers`. */
export const triggersConfig = () =>
  z
    .strictObject({
      mode: z
        .enum(['all', 'selected'])
        .default('all')
        .describe('`all`: every joined span. `selected`: those that one of the triggers below takes.'),
      slow: z
        .strictObject({
          threshold: duration().prefault('0s').describe('Slower than this is slow. 0: no fixed limit.'),
          above_p95: z
            .boolean()
            .default(true)
            .describe('Slower than 95% of the recent spans of the same service, kind and name is slow.'),
          min_samples: z
            .int()
            .min(20)
            .max(GENERATION)
            .default(100)
            .describe('Spans of an endpoint before its 95% is believed.'),
        })
        .prefault({})
        .describe('Spans that took long.'),
      errors: z.boolean().default(true).describe('Spans that failed.'),
      names: z
        .array(z.string().min(1).max(200))
        .max(MAX_NAMES)
        .default([])
        .describe(
          'Spans with one of these names, or of such a request (`GET /cart`). `*` stands for any characters.',
        ),
      trace_ids: z
        .array(z.string())
        .max(MAX_TRACE_IDS)
        .default([])
        .describe('Spans of these traces (32 hex digits).'),
      baseline: z
        .strictObject({
          per_endpoint_per_minute: z
            .number()
            .min(0)
            .max(60_000)
            .default(1)
            .describe('Normal spans of each endpoint, to compare with. 0: none.'),
        })
        .prefault({})
        .describe('Spans that nothing else takes.'),
      max_per_second: z
        .number()
        .min(1)
        .default(100)
        .describe('Most spans with details per second; those of `kindling catch` come on top.'),
      max_endpoints: z
        .int()
        .min(1)
        .max(100_000)
        .default(2000)
        .describe(
          'Endpoints to learn, at most about 1.5KiB each. The one not seen for longest is forgotten.',
        ),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (config.slow.threshold < 0) fail("'slow::threshold' must not be negative");
      for (const id of config.trace_ids) {
        if (!TRACE_ID.test(id)) fail(`'trace_ids': ${JSON.stringify(id)} is not 32 hex digits`);
      }
    });

const TRACE_ID = /^[0-9a-f]{32}$/i;

export type TriggersConfig = z.output<ReturnType<typeof triggersConfig>>;

/** Undefined: every span gets its details. */
export function toTriggerConfig(config: TriggersConfig): TriggerConfig | undefined {
  if (config.mode === 'all') return undefined;
  return {
    slowNs: config.slow.threshold * NS_PER_MS,
    aboveP95: config.slow.above_p95,
    minSamples: config.slow.min_samples,
    errors: config.errors,
    names: config.names,
    traceIds: config.trace_ids.map((id) => id.toLowerCase()),
    baselinePerMinute: config.baseline.per_endpoint_per_minute,
    maxPerSecond: config.max_per_second,
    maxEndpoints: config.max_endpoints,
  };
}
