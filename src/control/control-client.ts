/** Asks a running agent through its control socket. */
import { request } from 'node:http';
import type { RecallAnswer, RecallQuestion } from '../observer/recall-types.js';
import type { CatchAnswer, CatchRequest } from '../observer/triggers/trigger-types.js';

/** Symbols of many samples may have to be read from files first. */
const TIMEOUT_MS = 10_000;
/** An answer of `MAX_RECALL_SAMPLES` deep stacks is far below. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/** Rejects with a sentence for the user: no agent, no right to ask, or what the agent says is wrong. */
export const askRecall = (socketPath: string, question: RecallQuestion): Promise<RecallAnswer> =>
  ask<RecallAnswer>(socketPath, '/v1/recall', question);

/** Rejects as `askRecall`. A request that the agent can't fulfil is answered with the reason. */
export const askCatch = (socketPath: string, request: CatchRequest): Promise<CatchAnswer> =>
  ask<CatchAnswer>(socketPath, '/v1/catch', request);

function ask<A>(socketPath: string, path: string, question: unknown): Promise<A> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void =>
      reject(new Error(`${socketPath}: ${reasonOf(error)}`, { cause: error }));
    const headers = { 'content-type': 'application/json' };
    const asking = request({
      socketPath,
      path,
      method: 'POST',
      headers,
      timeout: TIMEOUT_MS,
      agent: false,
    });
    asking.on('timeout', () => asking.destroy(new Error('no answer in time')));
    asking.on('error', fail);
    asking.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) asking.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        try {
          if (response.statusCode !== 200) throw new Error(text.trim());
          resolve(JSON.parse(text) as A);
        } catch (error) {
          fail(error);
        }
      });
    });
    asking.end(JSON.stringify(question));
  });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return 'no agent listens there';
    case 'EACCES':
      return 'not allowed (try sudo)';
    default:
      return message;
  }
}
