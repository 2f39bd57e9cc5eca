/** Policies of `tail_sampling`, alone and combined. */
import { configCase, type ParityCase } from '../case.js';

const POLICIES: readonly object[] = [
  { type: 'always_sample' },
  { type: 'latency', latency: { threshold_ms: 1000 } },
  { type: 'latency', latency: { threshold_ms: 5000 } },
  { type: 'latency', latency: { threshold_ms: 1000, upper_threshold_ms: 1100 } },
  { type: 'latency', latency: { threshold_ms: 1000, upper_threshold_ms: 2000 } },
  { type: 'numeric_attribute', numeric_attribute: { key: 'i', min_value: 40, max_value: 50 } },
  { type: 'numeric_attribute', numeric_attribute: { key: 'i', min_value: 43, max_value: 50 } },
  {
    type: 'numeric_attribute',
    numeric_attribute: { key: 'i', min_value: 40, max_value: 50, invert_match: true },
  },
  { type: 'numeric_attribute', numeric_attribute: { key: 'process.pid', min_value: 4711, max_value: 4711 } },
  { type: 'numeric_attribute', numeric_attribute: { key: 'i', min_value: 40 } },
  { type: 'probabilistic', probabilistic: { sampling_percentage: 100 } },
  { type: 'probabilistic', probabilistic: { sampling_percentage: 0 } },
  { type: 'probabilistic', probabilistic: { sampling_percentage: 50, hash_salt: 'a' } },
  { type: 'probabilistic', probabilistic: { sampling_percentage: 50, hash_salt: 'b' } },
  { type: 'status_code', status_code: { status_codes: ['ERROR'] } },
  { type: 'status_code', status_code: { status_codes: ['OK', 'UNSET'] } },
  { type: 'status_code', status_code: { status_codes: ['OK'] } },
  { type: 'status_code', status_code: { status_codes: ['NOSUCH'] } },
  { type: 'status_code', status_code: { status_codes: [] } },
  { type: 'string_attribute', string_attribute: { key: 's', values: ['v'] } },
  { type: 'string_attribute', string_attribute: { key: 's', values: ['x'] } },
  {
    type: 'string_attribute',
    string_attribute: { key: 's', values: ['^Hel'], enabled_regex_matching: true },
  },
  { type: 'string_attribute', string_attribute: { key: 's', values: ['('], enabled_regex_matching: true } },
  { type: 'string_attribute', string_attribute: { key: 's', values: ['v'], invert_match: true } },
  { type: 'string_attribute', string_attribute: { key: 's', values: ['x'], invert_match: true } },
  { type: 'string_attribute', string_attribute: { key: 'service.name', values: ['other'] } },
  {
    type: 'string_attribute',
    string_attribute: { key: 's', values: ['v'], enabled_regex_matching: true, cache_max_size: 2 },
  },
  { type: 'boolean_attribute', boolean_attribute: { key: 'b', value: true } },
  { type: 'boolean_attribute', boolean_attribute: { key: 'b', value: false } },
  { type: 'boolean_attribute', boolean_attribute: { key: 'b', value: true, invert_match: true } },
  { type: 'rate_limiting', rate_limiting: { spans_per_second: 100 } },
  { type: 'rate_limiting', rate_limiting: { spans_per_second: 1 } },
  { type: 'bytes_limiting', bytes_limiting: { bytes_per_second: 100000 } },
  { type: 'bytes_limiting', bytes_limiting: { bytes_per_second: 10 } },
  { type: 'bytes_limiting', bytes_limiting: { bytes_per_second: 10, burst_capacity: 100000 } },
  { type: 'span_count', span_count: { min_spans: 2 } },
  { type: 'span_count', span_count: { min_spans: 9 } },
  { type: 'span_count', span_count: { min_spans: 1, max_spans: 2 } },
  { type: 'span_count', span_count: { min_spans: 5, max_spans: 2 } },
  { type: 'trace_state', trace_state: { key: 'a', values: ['1'] } },
  { type: 'trace_state', trace_state: { key: 'a', values: ['2'] } },
  { type: 'trace_flags' },
  { type: 'ottl_condition', ottl_condition: { error_mode: 'ignore', span: ['attributes["i"] == 42'] } },
  {
    type: 'ottl_condition',
    ottl_condition: { error_mode: 'ignore', span: ['name == "x"'], spanevent: ['name == "log"'] },
  },
  { type: 'ottl_condition', ottl_condition: { error_mode: 'ignore', span: ['nosuch'] } },
  {
    type: 'ottl_condition',
    ottl_condition: { error_mode: 'propagate', span: ['Int(attributes["m"]) == 1'] },
  },
  { type: 'ottl_condition', ottl_condition: {} },
  {
    type: 'and',
    and: {
      and_sub_policy: [
        { name: 'a', type: 'always_sample' },
        { name: 'b', type: 'latency', latency: { threshold_ms: 9000 } },
      ],
    },
  },
  {
    type: 'and',
    and: {
      and_sub_policy: [
        { name: 'a', type: 'always_sample' },
        { name: 'b', type: 'status_code', status_code: { status_codes: ['ERROR'] } },
      ],
    },
  },
  { type: 'and', and: {} },
  { type: 'not', not: { not_sub_policy: { name: 'a', type: 'latency', latency: { threshold_ms: 9000 } } } },
  { type: 'not', not: { not_sub_policy: { name: 'a', type: 'always_sample' } } },
  { type: 'drop', drop: { drop_sub_policy: [{ name: 'a', type: 'always_sample' }] } },
  {
    type: 'composite',
    composite: {
      max_total_spans_per_second: 1000,
      policy_order: ['a', 'b'],
      composite_sub_policy: [
        { name: 'a', type: 'status_code', status_code: { status_codes: ['ERROR'] } },
        { name: 'b', type: 'always_sample' },
      ],
      rate_allocation: [
        { policy: 'a', percent: 50 },
        { policy: 'b', percent: 50 },
      ],
    },
  },
  {
    type: 'composite',
    composite: {
      max_total_spans_per_second: 1,
      policy_order: ['a'],
      composite_sub_policy: [{ name: 'a', type: 'always_sample' }],
    },
  },
  { type: 'nosuch' },
  {},
];

const CONFIGS: readonly object[] = [
  ...POLICIES.map((policy) => ({ policies: [{ name: 'p', ...policy }] })),
  // What comes first in the order of precedence.
  {
    policies: [
      { name: 'keep', type: 'always_sample' },
      {
        name: 'no',
        type: 'drop',
        drop: {
          drop_sub_policy: [
            {
              name: 'd',
              type: 'string_attribute',
              string_attribute: { key: 'service.name', values: ['other'] },
            },
          ],
        },
      },
    ],
  },
  {
    policies: [
      { name: 'keep', type: 'always_sample' },
      {
        name: 'inv',
        type: 'string_attribute',
        string_attribute: { key: 's', values: ['v'], invert_match: true },
      },
    ],
  },
  {
    policies: [
      { name: 'never', type: 'latency', latency: { threshold_ms: 9000 } },
      {
        name: 'inv',
        type: 'string_attribute',
        string_attribute: { key: 's', values: ['zz'], invert_match: true },
      },
    ],
  },
  {
    policies: [
      { name: 'a', type: 'always_sample' },
      { name: 'b', type: 'always_sample' },
    ],
  },
  {
    policies: [
      { name: 'a', type: 'always_sample' },
      { name: 'a', type: 'always_sample' },
    ],
  },
  { policies: [{ type: 'always_sample' }] },
  { policies: [] },
  {},
  { decision_wait: '-1s', policies: [{ name: 'a', type: 'always_sample' }] },
  { num_traces: 0, policies: [{ name: 'a', type: 'always_sample' }] },
  { nosuch: 1, policies: [{ name: 'a', type: 'always_sample' }] },
  {
    sample_on_first_match: true,
    policies: [
      { name: 'a', type: 'always_sample' },
      { name: 'b', type: 'always_sample' },
    ],
  },
  {
    decision_cache: { sampled_cache_size: 10, non_sampled_cache_size: 10 },
    policies: [{ name: 'a', type: 'always_sample' }],
  },
  { block_on_overflow: true, policies: [{ name: 'a', type: 'always_sample' }] },
];

/** A Collector looks at its traces once a second. */
const DECISION_MS = 2500;

export const tailSamplingCases = (): ParityCase[] =>
  CONFIGS.map((config) => ({
    ...configCase('tail_sampling', 'traces', { decision_wait: '100ms', ...config }, 'sampling'),
    waitMs: DECISION_MS,
  }));
