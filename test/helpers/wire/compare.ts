/** When two answers to a probe count as the same. */
import { isDeepStrictEqual } from 'node:util';
import type { HttpAnswer, WireAnswer } from './probe.js';

/**
 * A Collector's parser of JSON shows a hundred bytes of the request around the place where it gave up; Kindling says which
 * field it was and what is wrong with it. Where the Collector gives up so, Kindling must give up too.
 */
const JSON_SENTENCE = /, error found in #\d+ byte of |^strconv\./;

export function sameAnswer(collector: WireAnswer, kindling: WireAnswer): boolean {
  const http = collector.http?.map((one, index) => {
    const other = kindling.http?.[index];
    return isJsonRefusal(one) && isRefusal(other) ? withMessage(one, messageOf(other)) : one;
  });
  return isDeepStrictEqual(http === undefined ? collector : { ...collector, http }, kindling);
}

const messageOf = (answer: HttpAnswer | 'closed' | undefined): string | undefined =>
  typeof answer === 'object' ? (answer.body as { message?: string } | undefined)?.message : undefined;

const isRefusal = (answer: HttpAnswer | 'closed' | undefined): answer is HttpAnswer =>
  messageOf(answer) !== undefined;

const isJsonRefusal = (answer: HttpAnswer | 'closed'): answer is HttpAnswer =>
  JSON_SENTENCE.test(messageOf(answer) ?? '');

const withMessage = (answer: HttpAnswer, message: string | undefined): HttpAnswer => ({
  ...answer,
  body: { ...(answer.body as object), message },
});
