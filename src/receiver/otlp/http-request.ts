/** What the head of an OTLP/HTTP request says. */
import type { IncomingMessage } from 'node:http';
import { type Encoding, JSON_TYPE, PROTOBUF_TYPE } from './http-answer.js';
import { mediaTypeOf } from './media-type.js';

/** What bodies and answers are written in, when it is one of ours. */
export function encodingOf({ headers }: IncomingMessage): Encoding | undefined {
  const type = headers['content-type'];
  // By far the most frequent ones, letter by letter.
  if (type === PROTOBUF_TYPE || type === JSON_TYPE) return type;
  const media = mediaTypeOf(type);
  return media === JSON_TYPE || media === PROTOBUF_TYPE ? media : undefined;
}

/** What to tell somebody in who is refused before his content type is looked at. */
export const answerEncoding = (request: IncomingMessage): Encoding | undefined =>
  request.headers['content-type'] === undefined ? JSON_TYPE : encodingOf(request);
