/** Sends what cases ask. */
import { createSocket } from 'node:dgram';
import * as http from 'node:http';
import type { HttpAsk, ReceiverAnswer, ReceiverCase } from './case.js';
import { GrpcClient } from './grpc.js';

/** Where a receiver listens. */
export interface Ports {
  readonly http?: number;
  readonly grpc?: number;
  readonly compact?: number;
  readonly binary?: number;
  readonly sampling?: number;
}

/** What the receiver answers; nothing to a datagram. */
export async function ask({ ask: one }: ReceiverCase, ports: Ports): Promise<ReceiverAnswer> {
  switch (one.kind) {
    case 'http':
      return askHttp(one, ports.http!);
    case 'grpc':
      return GrpcClient.once(ports.grpc!, one.path, one.message);
    case 'udp':
      return sendDatagram(one.body, ports[one.port]!);
  }
}

function askHttp(one: HttpAsk, port: number): Promise<ReceiverAnswer> {
  return new Promise((resolve) => {
    const { method = 'POST', path, headers = {}, body } = one;
    const request = http.request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          ...(text === '' ? {} : { contentType: response.headers['content-type'] ?? '', body: text }),
        }),
      );
    });
    // A Collector that panics cuts the connection.
    request.on('error', () => resolve({ status: 0 }));
    // Without a length, the body of a GET would be read as the next request.
    if (method === 'GET') request.end();
    else request.end(body);
  });
}

function sendDatagram(body: Uint8Array, port: number): Promise<ReceiverAnswer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.send(body, port, '127.0.0.1', (error) => {
      socket.close();
      if (error === null) resolve({});
      else reject(error);
    });
  });
}
