/**
 * What a recording holds of look-ups in the operating system, and the tables that answer from it in a replay. Written
 * by `recording.ts`.
 */
import type { ProcessInfo, ProcessTable, SocketTuple, Symbolizer } from '../types.js';
import { LruMap } from './lru-map.js';

/** One answer. Plain data: may go through JSON and back. */
export type RecordedLookup =
  | { readonly kind: 'process'; readonly process: ProcessInfo }
  | { readonly kind: 'thread_name'; readonly tgid: number; readonly tid: number; readonly name: string }
  | {
      readonly kind: 'file_path';
      readonly tgid: number;
      readonly fd: number;
      readonly inode: number;
      readonly path: string;
    }
  | { readonly kind: 'socket_owner'; readonly tuple: SocketTuple; readonly tgid: number }
  | {
      readonly kind: 'symbols';
      /** 0: the kernel. */
      readonly tgid: number;
      /** Innermost first, hexadecimal without 0x; a call stack, so that position 0 counts as a different address. */
      readonly stack: readonly (readonly [address: string, name: string, innermost: boolean])[];
    };

/** Answers of each kind that one replay holds; the least recently used go first. */
const MAX_ENTRIES = 1 << 20;

export const threadKey = (tgid: number, tid: number): string => `${tgid}:${tid}`;
export const fileKey = (tgid: number, fd: number, inode: number): string => `${tgid}:${fd}:${inode}`;
export const socketKey = (t: SocketTuple): string =>
  `${t.family} ${t.localAddress} ${t.localPort} ${t.remoteAddress} ${t.remotePort}`;
export const symbolKey = (tgid: number, address: string, innermost: boolean): string =>
  `${tgid}:${address}${innermost ? '!' : ''}`;

/** Answers as the machine did that was recorded. Of several answers to one question the last added counts. */
export class RecordedProcessTable implements ProcessTable {
  readonly #processes = new LruMap<number, ProcessInfo>(MAX_ENTRIES);
  readonly #threadNames = new LruMap<string, string>(MAX_ENTRIES);
  readonly #filePaths = new LruMap<string, string>(MAX_ENTRIES);
  readonly #socketOwners = new LruMap<string, number>(MAX_ENTRIES);

  /** Takes one answer of the recording; those of other kinds are ignored. */
  add(lookup: RecordedLookup): void {
    switch (lookup.kind) {
      case 'process':
        this.#processes.set(lookup.process.tgid, lookup.process);
        break;
      case 'thread_name':
        this.#threadNames.set(threadKey(lookup.tgid, lookup.tid), lookup.name);
        break;
      case 'file_path':
        this.#filePaths.set(fileKey(lookup.tgid, lookup.fd, lookup.inode), lookup.path);
        break;
      case 'socket_owner':
        this.#socketOwners.set(socketKey(lookup.tuple), lookup.tgid);
        break;
      case 'symbols':
        break;
    }
  }

  get(tgid: number): ProcessInfo | undefined {
    return this.#processes.get(tgid);
  }

  threadName(tgid: number, tid: number): string {
    return this.#threadNames.get(threadKey(tgid, tid)) ?? '';
  }

  filePath(tgid: number, fd: number, inode: number): string | undefined {
    return this.#filePaths.get(fileKey(tgid, fd, inode));
  }

  socketOwner(tuple: SocketTuple): number | undefined {
    return this.#socketOwners.get(socketKey(tuple));
  }

  /** Nothing changes after the fact: a new image comes as a new `process` answer. */
  invalidate(): void {}
}

/** Names as they were on the machine that was recorded. */
export class RecordedSymbolizer implements Symbolizer {
  readonly #names = new LruMap<string, string>(MAX_ENTRIES);

  /** Takes one answer of the recording; those of other kinds are ignored. */
  add(lookup: RecordedLookup): void {
    if (lookup.kind !== 'symbols') return;
    for (const [address, name, innermost] of lookup.stack)
      this.#names.set(symbolKey(lookup.tgid, address, innermost), name);
  }

  user(tgid: number, addresses: readonly bigint[]): string[] {
    return this.#namesOf(tgid, addresses, '[unknown]');
  }

  kernel(addresses: readonly bigint[]): string[] {
    return this.#namesOf(0, addresses, '[kernel]');
  }

  #namesOf(tgid: number, addresses: readonly bigint[], unknown: string): string[] {
    return addresses.map(
      (address, i) => this.#names.get(symbolKey(tgid, address.toString(16), i === 0)) ?? unknown,
    );
  }

  invalidate(): void {}
}
