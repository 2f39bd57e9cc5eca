/**
 * SkyWalking, version 3 of its protocol between processes
 * (https://skywalking.apache.org/docs/main/v10.2.0/en/api/x-process-propagation-headers-v3/): eight fields, of which all texts
 * are in base64.
 *
 *     sw8: 1-TRACEID-SEGMENTID-3-SERVICE-INSTANCE-ENDPOINT-ADDRESS
 *          |                   number of the exit span in the segment
 *          sampled
 */
import type { WireContext } from '../../observer/types.js';
import type { ContextCarrier } from './carriers.js';
import { sw8SpanId, sw8TraceId, ZERO_SPAN_ID, ZERO_TRACE_ID } from './sw8-ids.js';

const FIELDS = 8;
/** Ids are some seventy characters; texts beyond this are no ids. */
const LONGEST = 4096;

export const SW8_CARRIER: ContextCarrier = {
  headers: ['sw8'],
  read: ([value]) => readSw8(value ?? ''),
};

function readSw8(value: string): WireContext | undefined {
  if (value.length > LONGEST) return undefined;
  const [sampled, trace, segment, span, ...others] = value.split('-');
  if (trace === undefined || segment === undefined || span === undefined) return undefined;
  if (others.length !== FIELDS - 4 || !/^\d{1,9}$/.test(span)) return undefined;
  const traceId = sw8TraceId(Buffer.from(trace, 'base64').toString('latin1'));
  const spanId = sw8SpanId(Buffer.from(segment, 'base64').toString('latin1'), Number(span));
  if (traceId === ZERO_TRACE_ID || spanId === ZERO_SPAN_ID) return undefined;
  return { traceId, spanId, sampled: sampled === '1', carrier: 'sw8' };
}
