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

/** Characters of a Host header (RFC 3986 section 3.2.2, as Go's server checks it). */
const HOST = /^[!$%&'()*+,\-./0-9:;=@A-Z[\]_a-z~]*$/;

/** Why a request is none that can be looked at, as status and text. */
export function protocolProblem(request: IncomingMessage): readonly [number, string] | undefined {
  const { httpVersionMajor, httpVersion, headers, rawHeaders, url } = request;
  if (httpVersionMajor !== 1) return [505, '505 HTTP Version Not Supported: unsupported protocol version'];
  if (url === '*') return [400, ''];
  const transferEncoding = headers['transfer-encoding'];
  if (transferEncoding !== undefined && transferEncoding.toLowerCase() !== 'chunked') {
    return [501, 'Unsupported transfer encoding'];
  }
  const { host } = headers;
  if (host === undefined) {
    return httpVersion === '1.0' ? undefined : [400, '400 Bad Request: missing required Host header'];
  }
  if (!HOST.test(host)) return [400, '400 Bad Request: malformed Host header'];
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.length === 4 && rawHeaders[index]!.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1 ? [400, '400 Bad Request'] : undefined;
}
