/** `struct socket_tuple` as text. Making the text costs a microsecond, so each socket's is made once. */
import { SOCKET_TUPLE } from '../receiver/ebpf/abi.gen.js';
import type { SocketTuple } from './types.js';

const { offset } = SOCKET_TUPLE;
const AF_UNIX = 1;
const AF_INET6 = 10;
const WORDS = SOCKET_TUPLE.size / 4;
const MAX_CACHED = 16_384;

interface Entry {
  readonly tuple: SocketTuple;
  readonly words: Uint32Array;
}

/** Bounded; when it is full the older half is forgotten. */
export class SocketTuples {
  #recent = new Map<number, Entry>();
  #older = new Map<number, Entry>();

  /** The tuple at byte `at` (a multiple of 4) of the slab, of the socket `cookie`. */
  read(bytes: Buffer, words: Uint32Array, at: number, cookie: number): SocketTuple {
    let entry = this.#recent.get(cookie);
    if (entry === undefined) {
      entry = this.#older.get(cookie);
      if (entry !== undefined) this.#keep(cookie, entry);
    }
    // A socket may be connected again, and a local port is chosen late.
    if (entry !== undefined && sameWords(entry.words, words, at >> 2)) return entry.tuple;
    entry = { tuple: readTuple(bytes, at), words: words.slice(at >> 2, (at >> 2) + WORDS) };
    this.#keep(cookie, entry);
    return entry.tuple;
  }

  #keep(cookie: number, entry: Entry): void {
    if (this.#recent.size >= MAX_CACHED / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(cookie, entry);
  }
}

function sameWords(known: Uint32Array, words: Uint32Array, at: number): boolean {
  for (let i = 0; i < WORDS; i++) if (known[i] !== words[at + i]) return false;
  return true;
}

function readTuple(bytes: Buffer, at: number): SocketTuple {
  const family = bytes.readUInt16LE(at + offset.family);
  const local = at + offset.localAddress;
  const remote = at + offset.remoteAddress;
  return {
    family: family === AF_UNIX ? 'unix' : family === AF_INET6 ? 'inet6' : 'inet',
    localAddress: family === AF_UNIX ? '' : addressText(bytes, local),
    localPort: bytes.readUInt16LE(at + offset.localPort),
    remoteAddress: family === AF_UNIX ? '' : addressText(bytes, remote),
    remotePort: bytes.readUInt16LE(at + offset.remotePort),
  };
}

/** 16 bytes as text, RFC 5952; v4-mapped addresses as dotted IPv4. */
export function addressText(bytes: Buffer, at: number): string {
  let mapped = bytes.readUInt16BE(at + 10) === 0xffff;
  for (let i = 0; i < 10 && mapped; i++) mapped = bytes[at + i] === 0;
  if (mapped) return `${bytes[at + 12]}.${bytes[at + 13]}.${bytes[at + 14]}.${bytes[at + 15]}`;

  let runStart = -1;
  let runLength = 1; // a single zero group is not shortened
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && bytes.readUInt16BE(at + 2 * end) === 0) end++;
    if (end - i > runLength) {
      runStart = i;
      runLength = end - i;
    }
    if (end > i) i = end;
  }
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === runStart) {
      text += '::';
      i += runLength - 1;
    } else {
      if (text !== '' && !text.endsWith(':')) text += ':';
      text += bytes.readUInt16BE(at + 2 * i).toString(16);
    }
  }
  return text;
}
