/** How a batch stands in a file. */
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Batch } from '../../component/signal.js';
import { toJson } from '../../otlp/json-writer.js';

/** zstd of Node.js 22.15 and later; the types of the oldest supported release do not know it. */
const { zstdCompress } = zlib as typeof zlib & {
  zstdCompress?: (bytes: Uint8Array, done: (error: Error | null, compressed: Buffer) => void) => void;
};

/** Whether this Node.js compresses with zstd. */
export const canCompress = (): boolean => zstdCompress !== undefined;

interface Form {
  readonly format: string;
  readonly compression: string;
}

/** Whether records are lines: then one that was cut can be told from the next. */
export const isLines = ({ format, compression }: Form): boolean => format === 'json' && compression === '';

/** The bytes to write for a batch. Throws `MalformedError`. */
export async function recordOf(batch: Pick<Batch, 'signal' | 'bytes'>, form: Form): Promise<Buffer> {
  if (isLines(form)) return Buffer.from(`${toJson(batch.signal, batch.bytes)}\n`);
  const content =
    form.format === 'json'
      ? Buffer.from(toJson(batch.signal, batch.bytes))
      : Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length);
  return withLength(form.compression === '' ? content : await compressed(content));
}

async function compressed(content: Buffer): Promise<Buffer> {
  if (zstdCompress === undefined) throw new Error('zstd is not there');
  return promisify(zstdCompress)(content);
}

function withLength(content: Buffer): Buffer {
  const record = Buffer.allocUnsafe(4 + content.length);
  record.writeUInt32BE(content.length, 0);
  record.set(content, 4);
  return record;
}
