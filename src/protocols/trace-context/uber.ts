/**
 * Jaeger's own propagation (https://www.jaegertracing.io/sdk-migration/#propagation-format):
 *
 *     uber-trace-id: TRACE:SPAN:PARENT:FLAGS     hex, leading zeros may be missing, `:` may be written %3A
 */
import type { WireContext } from '../../observer/types.js';
import type { ContextCarrier } from './carriers.js';

const VALUE = /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{0,16}:([0-9a-f]{1,2})$/i;

export const UBER_CARRIER: ContextCarrier = {
  headers: ['uber-trace-id'],
  read: ([value]) => readUber(value ?? ''),
};

function readUber(value: string): WireContext | undefined {
  const match = VALUE.exec(value.includes('%') ? value.replace(/%3a/gi, ':') : value);
  if (match === null) return undefined;
  const traceId = match[1]!.toLowerCase().padStart(32, '0');
  const spanId = match[2]!.toLowerCase().padStart(16, '0');
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(match[3]!, 16) & 1) === 1, carrier: 'uber-trace-id' };
}
