/** Spans of Dubbo 2: semantic conventions 1.44, RPC spans. */
import type { WireExchange } from '../exchange.js';
import type { SpanSink } from '../span-sink.js';
import { OK, statusName } from './header.js';

export interface DubboDetail {
  /** '' where the body could not be read. */
  readonly service: string;
  /** '' when it is the only one: '0.0.0', or none. */
  readonly version: string;
  readonly method: string;
  /** 0: there is no response. */
  status: number;
  /** Class of the exception that the method threw. */
  exception: string;
}

export const DUBBO_ATTRIBUTES = [
  'rpc.system.name',
  'rpc.method',
  'rpc.response.status_code',
  'error.type',
] as const;

/** Statuses by which a server says that the caller made the mistake. */
const CALLERS_FAULT = new Set(['BAD_REQUEST', 'CLIENT_ERROR', 'CLIENT_TIMEOUT']);

export function describeDubbo({ detail }: WireExchange<DubboDetail>, span: SpanSink): void {
  const { service, method, status, exception } = detail;
  const name = service === '' ? '' : `${service}/${method}`;
  span.name = name === '' ? 'dubbo' : name;
  span.put('rpc.system.name', 'dubbo');
  span.put('rpc.method', name);
  if (status === 0) return;
  const code = statusName(status);
  span.put('rpc.response.status_code', code);
  if (exception !== '') span.errorType = exception;
  else if (status !== OK && (span.side === 'client' || !CALLERS_FAULT.has(code))) span.errorType = code;
}
