/**
 * Trace context in a statement's comment, as written by sqlcommenter (https://google.github.io/sqlcommenter/spec/):
 * `key='value'` pairs, values URL-encoded.
 *
 *     SELECT 1 / *action='index',traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'* /
 */
import type { WireContext } from '../../observer/types.js';
import { readWireContext } from '../trace-context/carriers.js';

export const SQL_CARRIERS: readonly string[] = ["sqlcommenter comment `traceparent='…'`"];

const PARENT = /\btraceparent\s*=\s*'([^']{55,128})'/;
const STATE = /\btracestate\s*=\s*'([^']{1,1024})'/;

export function readSqlContext(text: string): WireContext | undefined {
  if (!text.includes('traceparent')) return undefined;
  const comment = Math.max(text.lastIndexOf('/*'), text.lastIndexOf('--'));
  // Only in comments: a value in a literal is an application's data. Some libraries put it first.
  const first = text.trimStart().startsWith('/*') ? text.slice(0, text.indexOf('*/')) : '';
  return contextIn(comment < 0 ? '' : text.slice(comment)) ?? contextIn(first);
}

function contextIn(comment: string): WireContext | undefined {
  const parent = PARENT.exec(comment)?.[1];
  if (parent === undefined) return undefined;
  const context = readWireContext([parent, decode(STATE.exec(comment)?.[1])]);
  return context === undefined ? undefined : { ...context, carrier: 'sqlcommenter' };
}

function decode(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
