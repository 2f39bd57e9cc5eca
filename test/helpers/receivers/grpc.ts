/** One call of grpc-js, with bytes in and out. */
import * as grpc from '@grpc/grpc-js';
import type { ReceiverAnswer } from './case.js';

const same = (value: Buffer): Buffer => value;

export const GrpcClient = {
  /** The code, the text of an error, and a response in hex. */
  once(port: number, path: string, message: Uint8Array): Promise<ReceiverAnswer> {
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    return new Promise((resolve) => {
      client.makeUnaryRequest(path, same, same, Buffer.from(message), (error, response) => {
        client.close();
        resolve(
          error === null
            ? { status: 0, body: Buffer.from(response ?? []).toString('hex') }
            : { status: error.code, body: error.details },
        );
      });
    });
  },
};
