/** What Go's HTTP server finds wrong with the head of a request before anybody handles it. */
import type { IncomingMessage } from 'node:http';

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
