/**
 * W3C Trace Context, https://www.w3.org/TR/trace-context-2/ section 3.2:
 *
 *     traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *                  |  trace id                         parent id        flags (bit 0: sampled)
 *                  version; ff is invalid, of a later one the first 55 characters are read
 */
import type { WireContext } from '../../observer/types.js';
import type { ContextCarrier } from './carriers.js';

const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}/;
const LENGTH = 55;
/** The specification asks for at least 512 characters to be handed on. */
const LONGEST_STATE = 1024;

export const W3C_CARRIER: ContextCarrier = {
  headers: ['traceparent', 'tracestate'],
  read: ([traceparent, tracestate]) => readTraceparent(traceparent ?? '', tracestate),
};

function readTraceparent(value: string, state: string | undefined): WireContext | undefined {
  if (!TRACEPARENT.test(value)) return undefined;
  if (value.length > LENGTH && (value.startsWith('00') || value[LENGTH] !== '-')) return undefined;
  return {
    traceId: value.slice(3, 35),
    spanId: value.slice(36, 52),
    sampled: (Number.parseInt(value.slice(53, LENGTH), 16) & 1) === 1,
    carrier: 'traceparent',
    ...(state !== undefined && state !== '' && state.length <= LONGEST_STATE ? { state } : {}),
  };
}
