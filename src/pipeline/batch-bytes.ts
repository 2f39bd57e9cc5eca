import type { Batch } from '../component/signal.js';

/** Bytes of an encoded batch. Its pieces stay pieces: reading `bytes` would put them together. */
export const bytesOf = (batch: Batch): number =>
  batch.parts === undefined ? batch.bytes.length : batch.parts.reduce((sum, part) => sum + part.length, 0);
