/**
 * Wrappers that hand each new answer of a process table or a symbolizer to a recorder, so that a replay on another
 * machine can give the same ones (`recorded.ts`).
 */
import type { ProcessInfo, ProcessTable, SocketTuple, Symbolizer } from '../types.js';
import { LruMap } from './lru-map.js';
import { fileKey, type RecordedLookup, socketKey, symbolKey, threadKey } from './recorded.js';

/** Called in the middle of a look-up: must be quick and must not throw. */
export type ReportLookup = (lookup: RecordedLookup) => void;

/** Answers that are remembered as reported; a forgotten one is reported again, which costs space and no truth. */
const REMEMBERED = 1 << 16;

export class RecordingProcessTable implements ProcessTable {
  readonly #inner: ProcessTable;
  readonly #report: ReportLookup;
  readonly #processes = new LruMap<number, ProcessInfo>(REMEMBERED);
  readonly #texts = new LruMap<string, string>(REMEMBERED);

  /** `report` gets every answer that differs from the last one to the same question, "not known" excepted. */
  constructor(inner: ProcessTable, report: ReportLookup) {
    this.#inner = inner;
    this.#report = report;
  }

  get(tgid: number): ProcessInfo | undefined {
    const process = this.#inner.get(tgid);
    // The table gives the same object until it has read the process anew.
    if (process !== undefined && this.#processes.get(tgid) !== process) {
      this.#processes.set(tgid, process);
      this.#report({ kind: 'process', process });
    }
    return process;
  }

  threadName(tgid: number, tid: number): string {
    const name = this.#inner.threadName(tgid, tid);
    if (name !== '' && this.#isNew(`t${threadKey(tgid, tid)}`, name))
      this.#report({ kind: 'thread_name', tgid, tid, name });
    return name;
  }

  filePath(tgid: number, fd: number, inode: number): string | undefined {
    const path = this.#inner.filePath(tgid, fd, inode);
    if (path !== undefined && this.#isNew(`f${fileKey(tgid, fd, inode)}`, path))
      this.#report({ kind: 'file_path', tgid, fd, inode, path });
    return path;
  }

  socketOwner(tuple: SocketTuple): number | undefined {
    const tgid = this.#inner.socketOwner(tuple);
    if (tgid !== undefined && this.#isNew(`s${socketKey(tuple)}`, String(tgid)))
      this.#report({ kind: 'socket_owner', tuple, tgid });
    return tgid;
  }

  invalidate(tgid: number, ended: boolean): void {
    this.#inner.invalidate(tgid, ended);
  }

  #isNew(key: string, value: string): boolean {
    if (this.#texts.get(key) === value) return false;
    this.#texts.set(key, value);
    return true;
  }
}

export class RecordingSymbolizer implements Symbolizer {
  readonly #inner: Symbolizer;
  readonly #report: ReportLookup;
  readonly #names = new LruMap<string, string>(REMEMBERED);

  constructor(inner: Symbolizer, report: ReportLookup) {
    this.#inner = inner;
    this.#report = report;
  }

  user(tgid: number, addresses: readonly bigint[]): string[] {
    return this.#reported(tgid, addresses, this.#inner.user(tgid, addresses));
  }

  kernel(addresses: readonly bigint[]): string[] {
    return this.#reported(0, addresses, this.#inner.kernel(addresses));
  }

  invalidate(tgid: number, ended: boolean): void {
    this.#inner.invalidate?.(tgid, ended);
  }

  #reported(tgid: number, addresses: readonly bigint[], names: string[]): string[] {
    const stack: [address: string, name: string, innermost: boolean][] = [];
    addresses.forEach((address, i) => {
      const text = address.toString(16);
      const name = names[i] ?? '';
      const key = symbolKey(tgid, text, i === 0);
      if (this.#names.get(key) === name) return;
      this.#names.set(key, name);
      stack.push([text, name, i === 0]);
    });
    if (stack.length > 0) this.#report({ kind: 'symbols', tgid, stack });
    return names;
  }
}
