/** What is measured: one kind of load on one pipeline. */
import { PIPELINES, type Pipeline } from './subject.js';

export interface Case {
  readonly pipeline: Pipeline;
  readonly protocol: 'grpc' | 'http';
  readonly compression: 'none' | 'gzip';
  readonly connections: number;
  readonly spansPerRequest: number;
  readonly spanBytes: number;
}

/** 512 spans is what SDKs send at most in one request (OTEL_BSP_MAX_EXPORT_BATCH_SIZE). */
const USUAL: Case = {
  pipeline: 'full',
  protocol: 'grpc',
  compression: 'none',
  connections: 4,
  spansPerRequest: 512,
  spanBytes: 300,
};

/** One thing changed at a time. */
const SHORT: readonly Partial<Case>[] = [
  {},
  { connections: 1 },
  { connections: 16 },
  { compression: 'gzip' },
  { protocol: 'http' },
  { protocol: 'http', compression: 'gzip' },
  { spanBytes: 100 },
  { spanBytes: 4096, spansPerRequest: 128 },
  { spansPerRequest: 32 },
  { pipeline: 'full-gzip' },
  { pipeline: 'nop' },
  { pipeline: 'nop', protocol: 'http' },
];

/** `short`, or `all`: every combination of pipeline, protocol, compression, connections and span size. */
export function casesOf(matrix: string): readonly Case[] {
  if (matrix !== 'all') return SHORT.map((change) => ({ ...USUAL, ...change }));
  return PIPELINES.flatMap((pipeline) =>
    (['grpc', 'http'] as const).flatMap((protocol) =>
      (['none', 'gzip'] as const).flatMap((compression) =>
        [1, 4, 16].flatMap((connections) =>
          [100, 300, 1024, 4096].map((spanBytes) => {
            const spansPerRequest = spanBytes > 1024 ? 128 : 512;
            return { pipeline, protocol, compression, connections, spansPerRequest, spanBytes };
          }),
        ),
      ),
    ),
  );
}

export const nameOf = ({ pipeline, protocol, compression, connections, spansPerRequest, spanBytes }: Case) =>
  `${pipeline} ${protocol}${compression === 'none' ? '' : `+${compression}`} c${connections} ${spansPerRequest}x${spanBytes}B`;
