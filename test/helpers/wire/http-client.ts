/** Sends bytes as HTTP/1.1 requests and reads the answers, without the help of a client that would correct either. */
import { connect } from 'node:net';

export interface RawResponse {
  readonly status: number;
  /** Names in lower case; of repeated ones the values joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** How long a server has to answer before its silence is the answer. */
const SILENCE_MS = 4000;

/** Answers to each request in turn; 'closed' for one that got none before the connection ended. */
export function exchange(
  port: number,
  requests: readonly Buffer[],
  cut: boolean,
): Promise<(RawResponse | 'closed')[]> {
  return new Promise((resolve, reject) => {
    const answers: (RawResponse | 'closed')[] = [];
    const socket = connect(port, '127.0.0.1');
    let received: Buffer = Buffer.alloc(0);
    const finish = (): void => {
      clearTimeout(silence);
      socket.destroy();
      resolve(answers);
    };
    const silence = setTimeout(() => reject(new Error('no answer in time')), SILENCE_MS);
    const send = (): void => {
      const request = requests[answers.length]!;
      if (cut && answers.length === requests.length - 1) socket.end(request);
      else socket.write(request);
    };
    const read = (ended: boolean): void => {
      const isHead = requests[answers.length]!.subarray(0, 5).equals(Buffer.from('HEAD '));
      const response = parse(received, ended, isHead);
      if (response === undefined) return;
      received = received.subarray(response.length);
      answers.push(response.response);
      if (answers.length === requests.length) finish();
      else if (ended) answers.push('closed');
      else send();
    };
    socket.on('connect', send);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      read(false);
    });
    // A reset after an early answer, or before any.
    socket.on('error', () => {});
    socket.on('close', () => {
      if (answers.length >= requests.length) return;
      if (received.length > 0) read(true);
      if (answers.length < requests.length) {
        answers.push('closed');
        finish();
      }
    });
  });
}

/** The first final response in `bytes` and how many of them it takes; undefined when it is not complete. */
function parse(
  bytes: Buffer,
  ended: boolean,
  isHead: boolean,
): { readonly response: RawResponse; readonly length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const status = Number(statusLine.split(' ')[1]);
  const start = headEnd + 4;
  if (status >= 100 && status < 200) {
    const rest = parse(bytes.subarray(start), ended, isHead);
    return rest === undefined ? undefined : { ...rest, length: start + rest.length };
  }
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const done = (body: Buffer, length: number) => ({ response: { status, headers, body }, length });
  if (isHead || status === 204 || status === 304) return done(Buffer.alloc(0), start);
  if (headers['transfer-encoding'] === 'chunked') {
    const chunked = parseChunks(bytes, start);
    return chunked === undefined ? undefined : done(chunked.body, chunked.end);
  }
  const length = headers['content-length'];
  if (length === undefined) return ended ? done(bytes.subarray(start), bytes.length) : undefined;
  const end = start + Number(length);
  return bytes.length < end ? undefined : done(bytes.subarray(start, end), end);
}

function parseChunks(bytes: Buffer, from: number): { body: Buffer; end: number } | undefined {
  const pieces: Buffer[] = [];
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    const end = lineEnd + 2 + size + 2;
    if (bytes.length < end) return undefined;
    pieces.push(bytes.subarray(lineEnd + 2, end - 2));
    at = end;
    if (size === 0) return { body: Buffer.concat(pieces), end };
  }
}
