/**
 * Ids of the spans that exchanges become, derived and not random: the same recording gives the same ids each time, and
 * the two ends of one connection, which know nothing of each other, arrive at the same trace id.
 *
 *     hash(seed of this boot, client address and port, server address and port, position of the request's first byte)
 *         ├► trace id          both ends
 *         ├► span id, client
 *         └► span id, server
 *
 * TCP sequence numbers are the same at both ends, so the position is too. An identity is 32 bytes: trace id (16), span
 * id (8), parent span id (8, zero: none).
 */

export const TRACE_ID = { start: 0, end: 16 } as const;
export const SPAN_ID = { start: 16, end: 24 } as const;
export const PARENT_ID = { start: 24, end: 32 } as const;
const IDENTITY_BYTES = 32;

/** What identities of a connection have in common. */
export type ConnectionSeed = readonly [number, number, number, number];

const SALTS = [0x9e3779b9, 0x7f4a7c15, 0x94d049bb, 0xbf58476d] as const;

/** Hashes the endpoints; give both ends in the same order: the client first. */
export function connectionSeed(seed: string, client: string, server: string): ConnectionSeed {
  const text = `${seed}|${client}|${server}`;
  return SALTS.map((salt) => {
    let hash: number = salt;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    return scramble(hash ^ text.length);
  }) as unknown as ConnectionSeed;
}

/** A trace of its own, the span that `side` makes of the request at `offset`, no parent. */
export function createIdentity(seed: ConnectionSeed, offset: number, side: 'client' | 'server'): Uint8Array {
  const identity = new Uint8Array(IDENTITY_BYTES);
  const low = offset >>> 0;
  const high = Math.floor(offset / 0x1_0000_0000) >>> 0;
  for (let i = 0; i < 4; i++) putWord(identity, 4 * i, derive(seed[i]!, low, high, i));
  const salt = side === 'client' ? 4 : 6;
  putWord(identity, SPAN_ID.start, derive(seed[0], low, high, salt));
  putWord(identity, SPAN_ID.start + 4, derive(seed[1], low, high, salt + 1));
  // All zero means "no id"; one in 2^64 has to move.
  identity[15]! |= Number(isZero(identity, TRACE_ID.start, TRACE_ID.end));
  identity[23]! |= Number(isZero(identity, SPAN_ID.start, SPAN_ID.end));
  return identity;
}

/** `offset` in the client's stream, or in the server's, apart from each other. */
export const streamPosition = (offset: number, ofServer: boolean): number =>
  ofServer ? offset + SERVER_STREAM : offset;

/** No stream is that long. */
const SERVER_STREAM = 2 ** 51;

export const hasParent = (identity: Uint8Array): boolean => !isZero(identity, PARENT_ID.start, PARENT_ID.end);

function derive(seed: number, low: number, high: number, salt: number): number {
  return scramble(scramble(seed ^ scramble(low + Math.imul(salt, 0x9e3779b9))) ^ scramble(high ^ salt));
}

/** A bijection of 32 bits in which each bit of the input moves about half of the output (MurmurHash3's finalizer). */
function scramble(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function putWord(target: Uint8Array, at: number, word: number): void {
  target[at] = word >>> 24;
  target[at + 1] = word >>> 16;
  target[at + 2] = word >>> 8;
  target[at + 3] = word;
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
