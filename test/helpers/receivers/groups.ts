/** Groups of cases; the answers of a Collector to each are in test/golden/receivers/<name>.json. */
import type { ReceiverAnswer, ReceiverCase } from './case.js';
import { jaegerCases } from './cases/jaeger.js';
import { zipkinCases } from './cases/zipkin.js';

export const RECEIVER_GROUPS: Readonly<Record<string, () => readonly ReceiverCase[]>> = {
  jaeger: jaegerCases,
  zipkin: zipkinCases,
};

/** What of an answer is kept and compared. A backend that refuses keeps nothing, and its address is nobody's business. */
export function comparableAnswer(one: ReceiverCase, answer: ReceiverAnswer): ReceiverAnswer {
  const { spans, body, ...rest } = answer;
  const text = body
    ?.replace(/request to \S+ responded/, 'request to URL responded')
    .replaceAll('\u00a0', ' ');
  return {
    ...rest,
    ...(body === undefined || one.statusOnly === true ? {} : { body: text ?? '' }),
    ...(one.verdict === undefined && Array.isArray(spans) && spans.length > 0 ? { spans } : {}),
  };
}
