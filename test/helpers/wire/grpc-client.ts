/** Sends HTTP/2 requests of any headers and bytes, which no gRPC client would, and keeps all of the answer. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Http2Connection } from '../../../src/transport/http2/connection.js';
import { encodeHeaders } from '../../../src/transport/http2/hpack-encoder.js';

export interface RawGrpcResponse {
  /** Headers and trailers together. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly reset: number | undefined;
}

const WINDOW_BYTES = 1 << 20;
const SILENCE_MS = 4000;

/** One request on a connection of its own. */
export async function callRaw(
  port: number,
  headers: readonly (readonly [string, string])[],
  data: readonly Buffer[],
): Promise<RawGrpcResponse> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return new Promise((resolve, reject) => {
    let started = false;
    const received: Record<string, string> = {};
    const chunks: Buffer[] = [];
    const finish = (reset: number | undefined): void => {
      clearTimeout(silence);
      resolve({ headers: received, body: Buffer.concat(chunks), reset });
      connection.destroy();
    };
    const silence = setTimeout(() => {
      connection.destroy();
      reject(new Error('no answer in time'));
    }, SILENCE_MS);
    const connection: Http2Connection = new Http2Connection(socket, {
      role: 'client',
      streamWindowBytes: WINDOW_BYTES,
      connectionWindowBytes: WINDOW_BYTES,
      maxConcurrentStreams: 0,
      events: {
        onRoom: () => {
          if (started) return;
          started = true;
          connection.request(encodeHeaders(headers), data, {
            onHeaders: (decoded) => void Object.assign(received, decoded.headers),
            onData: (chunk, start, end) => void chunks.push(Buffer.from(chunk.subarray(start, end))),
            onEnd: () => finish(undefined),
            onClose: (code) => finish(code),
          });
        },
        onError: () => {},
        onClose: () => finish(-1),
      },
    });
  });
}
