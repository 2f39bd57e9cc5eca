/** One connection of the generator, with one request at a time on it, as an SDK's exporter has. */
import * as http from 'node:http';
import * as http2 from 'node:http2';

export interface Connection {
  /** Resolves to '' when the request was accepted, else to what the server said. Rejects when it said nothing. */
  send(body: Buffer): Promise<string>;
  close(): void;
}

const GRPC_PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

export function openGrpc(port: number, gzip: boolean): Connection {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  const headers: http2.OutgoingHttpHeaders = {
    ':method': 'POST',
    ':path': GRPC_PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(gzip ? { 'grpc-encoding': 'gzip' } : {}),
  };
  return {
    send: (body) =>
      new Promise((resolve, reject) => {
        const stream = session.request(headers);
        let status = '';
        const note = (received: http2.IncomingHttpHeaders): void => {
          const code = received['grpc-status'];
          if (typeof code === 'string') status = code === '0' ? '' : `${code} ${received['grpc-message']}`;
        };
        stream.on('response', note).on('trailers', note).on('error', reject);
        stream.on('end', () => resolve(status)).resume();
        stream.end(body);
      }),
    close: () => session.destroy(),
  };
}

/** The five bytes in front of a gRPC message, and the message. */
export function grpcFrame(body: Buffer, compressed: boolean): Buffer {
  const frame = Buffer.allocUnsafe(5 + body.length);
  frame[0] = compressed ? 1 : 0;
  frame.writeUInt32BE(body.length, 1);
  body.copy(frame, 5);
  return frame;
}

export function openHttp(port: number, gzip: boolean): Connection {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const headers = {
    'content-type': 'application/x-protobuf',
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
  };
  return {
    send: (body) =>
      new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', agent };
        const request = http.request(
          { ...options, headers: { ...headers, 'content-length': body.length } },
          (response) => {
            const { statusCode } = response;
            response.resume().on('error', reject);
            response.on('end', () => resolve(statusCode === 200 ? '' : `HTTP ${statusCode}`));
          },
        );
        request.on('error', reject).end(body);
      }),
    close: () => agent.destroy(),
  };
}
