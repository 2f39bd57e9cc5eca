/**
 * B3 (https://github.com/openzipkin/b3-propagation), in one header or several:
 *
 *     b3: TRACE-SPAN-SAMPLED-PARENT              the last two may be missing; `0` alone decides and identifies nothing
 *     X-B3-TraceId, X-B3-SpanId, X-B3-Sampled, X-B3-Flags
 */
import type { WireContext } from '../../observer/types.js';
import type { ContextCarrier } from './carriers.js';

const SINGLE = /^([0-9a-f]{32}|[0-9a-f]{16})-([0-9a-f]{16})(?:-([01d])(?:-[0-9a-f]{16})?)?$/i;

export const B3_CARRIER: ContextCarrier = {
  headers: ['b3'],
  read: ([value]) => {
    const match = SINGLE.exec(value ?? '');
    if (match === null) return undefined;
    return context(match[1]!, match[2]!, match[3] !== '0', 'b3');
  },
};

export const B3_MULTI_CARRIER: ContextCarrier = {
  headers: ['x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'x-b3-flags'],
  read: ([traceId = '', spanId = '', sampled = '', flags]) => {
    if (!/^(?:[0-9a-f]{32}|[0-9a-f]{16})$/i.test(traceId) || !/^[0-9a-f]{16}$/i.test(spanId))
      return undefined;
    return context(traceId, spanId, flags === '1' || !/^(?:0|false)$/i.test(sampled), 'x-b3-traceid');
  },
};

/** Who has not decided yet counts as sampled: the span may come. */
function context(trace: string, span: string, sampled: boolean, carrier: string): WireContext | undefined {
  if (/^0*$/.test(trace) || /^0*$/.test(span)) return undefined;
  return { traceId: trace.toLowerCase().padStart(32, '0'), spanId: span.toLowerCase(), sampled, carrier };
}
