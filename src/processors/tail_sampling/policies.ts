/**
 * Policies that look at other policies, and the list of all.
 * Source of rules and sentences: OpenTelemetry Collector Contrib 0.159, processor/tailsamplingprocessor.
 */
import type { PolicyConfig } from './config.js';
import {
  attributePolicy,
  latencyPolicy,
  limitPolicy,
  ottlPolicy,
  probabilisticPolicy,
  spanCountPolicy,
  statusCodePolicy,
  stringMatcher,
  traceFlagsPolicy,
  traceStatePolicy,
} from './simple-policies.js';
import type { TraceData } from './trace.js';

export type Decision = 'sampled' | 'not_sampled' | 'dropped';

/** May throw `OttlError`: then the policy has no say about this trace. */
export type Policy = (trace: TraceData) => Decision;

type AnyPolicy = Partial<PolicyConfig> & Pick<PolicyConfig, 'name' | 'type'>;

/** `now` is in ms. Throws an `Error` that says what is wrong with the settings. */
export function compilePolicy(config: AnyPolicy, now: () => number): Policy {
  switch (config.type) {
    case 'always_sample':
      return () => 'sampled';
    case 'latency': {
      const { threshold_ms: threshold, upper_threshold_ms: upper } = settings(config, 'latency');
      return latencyPolicy(threshold, upper);
    }
    case 'numeric_attribute': {
      const numeric = settings(config, 'numeric_attribute');
      const { min_value: min, max_value: max } = numeric;
      if (min === undefined && max === undefined) {
        throw new Error('at least one of min_value or max_value must be set');
      }
      // What is no int counts as 0, as in the Collector.
      return attributePolicy(numeric, (value) => {
        const number = typeof value === 'bigint' ? value : 0n;
        return (min === undefined || number >= min) && (max === undefined || number <= max);
      });
    }
    case 'string_attribute': {
      const text = settings(config, 'string_attribute');
      const matches = stringMatcher(text.values, text.enabled_regex_matching);
      return attributePolicy(text, (value) => typeof value === 'string' && value !== '' && matches(value));
    }
    case 'boolean_attribute': {
      const bool = settings(config, 'boolean_attribute');
      return attributePolicy(bool, (value) => (value === true) === bool.value);
    }
    case 'probabilistic': {
      const { hash_salt: salt, sampling_percentage: percentage } = settings(config, 'probabilistic');
      return probabilisticPolicy(salt, percentage);
    }
    case 'status_code':
      return statusCodePolicy(settings(config, 'status_code').status_codes);
    case 'rate_limiting': {
      const { spans_per_second: rate, burst_capacity: burst } = settings(config, 'rate_limiting');
      return limitPolicy(rate, burst > 0 ? burst : 2 * rate, now, (trace) => trace.spanCount);
    }
    case 'bytes_limiting': {
      const { bytes_per_second: rate, burst_capacity: burst } = settings(config, 'bytes_limiting');
      return limitPolicy(rate, burst > 0 ? burst : 2 * rate, now, (trace) => trace.sizeBytes);
    }
    case 'span_count': {
      const { min_spans: min, max_spans: max } = settings(config, 'span_count');
      return spanCountPolicy(min, max);
    }
    case 'trace_state': {
      const { key, values } = settings(config, 'trace_state');
      return traceStatePolicy(key, values);
    }
    case 'trace_flags':
      return traceFlagsPolicy;
    case 'ottl_condition':
      return ottlPolicy(settings(config, 'ottl_condition'), now);
    case 'not': {
      const inner = compilePolicy(settings(config, 'not').not_sub_policy, now);
      return (trace) => (inner(trace) === 'sampled' ? 'not_sampled' : 'sampled');
    }
    case 'and': {
      const all = compileAll(settings(config, 'and').and_sub_policy, now);
      return (trace) => (all.every((policy) => policy(trace) === 'sampled') ? 'sampled' : 'not_sampled');
    }
    case 'drop': {
      const all = compileAll(settings(config, 'drop').drop_sub_policy, now);
      return (trace) => (all.every((policy) => policy(trace) === 'sampled') ? 'dropped' : 'not_sampled');
    }
    case 'composite':
      return compositePolicy(settings(config, 'composite'), now);
    default:
      throw new Error(`unknown sampling policy type ${config.type}`);
  }
}

const compileAll = (configs: readonly AnyPolicy[], now: () => number): Policy[] =>
  configs.map((config) => compilePolicy(config, now));

/** The section of a policy's own settings, which bears the name of its type. */
function settings<K extends keyof AnyPolicy>(config: AnyPolicy, type: K): NonNullable<AnyPolicy[K]> {
  const section = config[type];
  if (section !== undefined && section !== null) return section as NonNullable<AnyPolicy[K]>;
  throw new Error(`a policy of type ${config.type} needs the settings ${JSON.stringify(config.type)}`);
}

/** Policies in order, each with its part of the spans that may pass in a second. */
function compositePolicy(config: NonNullable<PolicyConfig['composite']>, now: () => number): Policy {
  const total = config.max_total_spans_per_second;
  const byName = new Map(config.composite_sub_policy.map((one) => [one.name, one]));
  const even =
    config.composite_sub_policy.length === 0 ? 0 : Math.floor(total / config.composite_sub_policy.length);
  const order = config.policy_order.flatMap((name) => {
    const policy = byName.get(name);
    if (policy === undefined) return [];
    const part = config.rate_allocation.find((one) => one.policy === name)?.percent ?? 0;
    const allowed = part > 0 ? Math.floor((part * total) / 100) : even;
    return [{ policy: compilePolicy(policy, now), allowed, passed: 0 }];
  });
  let second = -1;
  return (trace) => {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      for (const entry of order) entry.passed = 0;
    }
    for (const entry of order) {
      if (entry.policy(trace) !== 'sampled') continue;
      const passed = entry.passed + trace.spanCount;
      if (passed > entry.allowed || passed > total) return 'not_sampled';
      entry.passed = passed;
      return 'sampled';
    }
    return 'not_sampled';
  };
}
