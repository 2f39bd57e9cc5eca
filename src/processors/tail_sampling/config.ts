import { z } from 'zod';
import { byteSize, duration } from '../../config/fields.js';
import { errorMode } from '../../ottl/error-mode.js';
import { compilePolicy } from './policies.js';
import { isStateful } from './stateful.js';

const sharedFields = () => ({
  name: z.string().default(''),
  type: z.string().default(''),
  latency: z
    .strictObject({ threshold_ms: z.int().default(0), upper_threshold_ms: z.int().default(0) })
    .optional(),
  numeric_attribute: z
    .strictObject({
      key: z.string().default(''),
      min_value: z.int().optional(),
      max_value: z.int().optional(),
      invert_match: z.boolean().default(false),
    })
    .optional(),
  string_attribute: z
    .strictObject({
      key: z.string().default(''),
      values: z.array(z.string()).default([]),
      enabled_regex_matching: z.boolean().default(false),
      cache_max_size: z.int().default(0),
      invert_match: z.boolean().default(false),
    })
    .optional(),
  boolean_attribute: z
    .strictObject({
      key: z.string().default(''),
      value: z.boolean().default(false),
      invert_match: z.boolean().default(false),
    })
    .optional(),
  probabilistic: z
    .strictObject({ hash_salt: z.string().default(''), sampling_percentage: z.number().default(0) })
    .optional(),
  status_code: z.strictObject({ status_codes: z.array(z.string()).default([]) }).optional(),
  rate_limiting: z
    .strictObject({ spans_per_second: z.int().default(0), burst_capacity: z.int().default(0) })
    .optional(),
  bytes_limiting: z
    .strictObject({ bytes_per_second: z.int().default(0), burst_capacity: z.int().default(0) })
    .optional(),
  span_count: z.strictObject({ min_spans: z.int().default(0), max_spans: z.int().default(0) }).optional(),
  trace_state: z
    .strictObject({ key: z.string().default(''), values: z.array(z.string()).default([]) })
    .optional(),
  ottl_condition: z
    .strictObject({
      error_mode: errorMode().prefault('ignore'),
      span: z.array(z.string()).default([]),
      spanevent: z.array(z.string()).default([]),
    })
    .optional(),
});

const notFields = () => ({
  not: z.strictObject({ not_sub_policy: z.strictObject(sharedFields()) }).optional(),
});
const andSubPolicy = () => z.strictObject({ ...sharedFields(), ...notFields() });
const andFields = () => ({
  and: z.strictObject({ and_sub_policy: z.array(andSubPolicy()).default([]) }).optional(),
});

const policyFields = () =>
  z.strictObject({
    ...sharedFields(),
    ...notFields(),
    ...andFields(),
    drop: z.strictObject({ drop_sub_policy: z.array(andSubPolicy()).default([]) }).optional(),
    composite: z
      .strictObject({
        max_total_spans_per_second: z.int().default(0),
        policy_order: z.array(z.string()).default([]),
        composite_sub_policy: z
          .array(z.strictObject({ ...sharedFields(), ...notFields(), ...andFields() }))
          .default([]),
        rate_allocation: z
          .array(z.strictObject({ policy: z.string().default(''), percent: z.int().default(0) }))
          .default([]),
      })
      .optional(),
  });

export type PolicyConfig = z.output<ReturnType<typeof policyFields>>;

/** Settings of `tail_sampling`; names, defaults and sentences are the Collector's. */
export const tailSamplingConfig = () =>
  z
    .strictObject({
      decision_wait: duration()
        .prefault('30s')
        .describe('How long a trace is held after its first span before it is decided about.'),
      decision_wait_after_root_received: duration()
        .prefault('0s')
        .describe(
          'How long a trace is held after its root span, when that is less. 0 leaves only `decision_wait`.',
        ),
      sampling_strategy: z
        .enum(['trace-complete', 'span-ingest'])
        .default('trace-complete')
        .describe(
          'When policies are asked: about the whole trace when its time has come, or about the spans of each batch as they come. The latter keeps a trace at its first match, and takes no policies with rates or upper bounds.',
        ),
      num_traces: z
        .int()
        .min(1)
        .default(50_000)
        .describe(
          'Most traces that are remembered, decided ones included. A trace that is pushed out undecided is decided about at once.',
        ),
      max_held_bytes: byteSize()
        .prefault('256MiB')
        .describe(
          'Memory for spans of undecided traces. Above it the oldest traces are decided about early.',
        ),
      expected_new_traces_per_sec: z.int().min(0).default(0).describe('Accepted; changes nothing.'),
      decision_cache: z
        .strictObject({
          sampled_cache_size: z
            .int()
            .min(0)
            .default(0)
            .describe('Kept traces whose late spans are still kept after `num_traces` forgot them.'),
          non_sampled_cache_size: z
            .int()
            .min(0)
            .default(0)
            .describe('The same for traces that were not kept.'),
        })
        .default({ sampled_cache_size: 0, non_sampled_cache_size: 0 }),
      block_on_overflow: z
        .boolean()
        .default(false)
        .describe('Accepted; a trace that is too many is decided about at once instead of waiting.'),
      drop_pending_traces_on_shutdown: z
        .boolean()
        .default(false)
        .describe(
          'Whether traces that are not decided about at shutdown are dropped instead of decided about.',
        ),
      sample_on_first_match: z
        .boolean()
        .default(false)
        .describe('Stop at the first policy that keeps a trace.'),
      policies: z
        .array(policyFields())
        .default([])
        .describe(
          'What keeps a trace; see below. `drop` goes before all others, then one policy that keeps it is enough.',
        ),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (config.decision_wait <= 0) fail("'decision_wait' must be greater than zero");
      if (config.decision_wait_after_root_received < 0) {
        fail("'decision_wait_after_root_received' must not be negative");
      }
      const names = new Set<string>();
      for (const policy of config.policies) {
        if (policy.name === '') fail('policy name cannot be empty');
        else if (names.has(policy.name)) fail(`duplicate policy name ${JSON.stringify(policy.name)}`);
        names.add(policy.name);
        if (config.sampling_strategy === 'span-ingest' && isStateful(policy)) {
          fail(
            `sampling_strategy "span-ingest" requires all policies to be stateless, but policy ${JSON.stringify(policy.name)} is stateful`,
          );
        }
        try {
          compilePolicy(policy, () => 0);
        } catch (error) {
          fail(
            `failed to create policy evaluator for ${JSON.stringify(policy.name)}: ${(error as Error).message}`,
          );
        }
      }
    });

export type TailSamplingConfig = z.output<ReturnType<typeof tailSamplingConfig>>;
