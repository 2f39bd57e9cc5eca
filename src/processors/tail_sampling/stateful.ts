import type { PolicyConfig } from './config.js';

/**
 * True for a policy whose answer depends on more than the spans it is shown: on other traces (limits), or on spans that may
 * still come and turn a yes into a no (upper bounds). Such a policy cannot decide about a trace batch by batch.
 */
export function isStateful(policy: Partial<PolicyConfig>): boolean {
  switch (policy.type) {
    case 'rate_limiting':
    case 'bytes_limiting':
    case 'composite':
      return true;
    case 'latency':
      return (policy.latency?.upper_threshold_ms ?? 0) > 0;
    case 'span_count':
      return (policy.span_count?.max_spans ?? 0) > 0;
    case 'and':
      return policy.and?.and_sub_policy.some(isStateful) ?? false;
    case 'drop':
      return policy.drop?.drop_sub_policy.some(isStateful) ?? false;
    case 'not':
      return policy.not !== undefined && isStateful(policy.not.not_sub_policy);
    default:
      return false;
  }
}
