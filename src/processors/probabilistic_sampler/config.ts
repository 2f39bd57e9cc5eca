import { z } from 'zod';
import { DECODING_ISSUE } from '../../config/fields.js';

const MODES = ['', 'hash_seed', 'equalizing', 'proportional'] as const;

/** Settings of `probabilistic_sampler`; names, defaults and sentences are the Collector's. */
export const probabilisticSamplerConfig = () =>
  z
    .strictObject({
      sampling_percentage: z
        .number()
        .default(0)
        .describe('How much is kept, in percent. 100 and more keep everything, 0 nothing.'),
      hash_seed: z
        .int()
        .min(0)
        .max(0xffff_ffff)
        .default(0)
        .describe('Instances with the same seed decide alike, also about spans that meet different ones.'),
      mode: z
        .string()
        .default('')
        .superRefine((value, context) => {
          if (MODES.includes(value as (typeof MODES)[number])) return;
          const message = `unsupported sampler mode ${JSON.stringify(value)}`;
          context.addIssue({ code: 'custom', message, params: DECODING_ISSUE });
        })
        .describe(
          '`hash_seed` (default): by a hash of the trace id. `proportional`, `equalizing`: by the randomness of W3C trace ids, told to later samplers in the tracestate; the first takes its part of what arrives, the second brings all to the same probability.',
        ),
      fail_closed: z
        .boolean()
        .default(true)
        .describe('Whether items without usable randomness are dropped; else they are kept.'),
      sampling_precision: z
        .int()
        .default(4)
        .describe('Hex digits of the threshold in the tracestate, 1 to 14.'),
      attribute_source: z
        .string()
        .default('traceID')
        .describe('What logs are sampled by: `traceID` or `record` (their `from_attribute`).'),
      from_attribute: z.string().default('').describe('Attribute of a log record to hash.'),
      sampling_priority: z
        .string()
        .default('')
        .describe('Attribute of a log record with a percentage of its own.'),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      const percentage = config.sampling_percentage;
      if (!Number.isFinite(percentage)) fail(`sampling rate is invalid: ${percentage}%`);
      else if (percentage < 0) fail(`sampling rate is negative: ${percentage.toFixed(6)}%`);
      else if (percentage > 0 && percentage / 100 < 2 ** -56)
        fail(`sampling rate is too small: ${percentage}%`);
      if (!['traceID', 'record', ''].includes(config.attribute_source)) {
        fail(`invalid attribute source: ${config.attribute_source}. Expected: traceID or record`);
      }
      if (config.sampling_precision === 0) fail('invalid sampling precision: 0');
      else if (config.sampling_precision < 0 || config.sampling_precision > 14) {
        fail(`sampling precision is too great, should be <= 14: ${config.sampling_precision}`);
      }
    });

export type ProbabilisticSamplerConfig = z.output<ReturnType<typeof probabilisticSamplerConfig>>;
