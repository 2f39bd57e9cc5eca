import type { Transport } from '../../../src/protocols/protocol.js';

export type Step = readonly [from: 'client' | 'server', bytes: string | Uint8Array];

/**
 * A real conversation of a protocol, of which fuzzing makes broken ones and the benchmark makes many. A file
 * `seeds/<name>.ts` exports `seeds: readonly Seed[]`; strings are ISO 8859-1.
 */
export interface Seed {
  readonly transport?: Transport;
  readonly steps: readonly Step[];
  /** Index of the first step from which the rest can follow itself again and again on one connection. */
  readonly repeatFrom?: number;
}

export const stepBytes = ([, bytes]: Step): Buffer =>
  typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes);

/** The seeds of the protocol called `name`. Rejects when it has none. */
export async function loadSeeds(name: string): Promise<readonly Seed[]> {
  const { seeds } = (await import(`./seeds/${name}.ts`)) as { seeds: readonly Seed[] };
  return seeds;
}
