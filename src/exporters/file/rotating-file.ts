/**
 * A file of records that is written in groups and, when asked, begun anew when it is full.
 *
 * `path/name.json` is the current file; full ones are `path/name-2026-11-21T04-05-06.789-size.json`, as
 * https://github.com/DeRuina/timberjack names them, the Collector's rotation since 0.150; before it left out `-size`.
 */
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';

export interface RotatingFileOptions {
  readonly path: string;
  /** Whether to keep what is in the file already. */
  readonly append: boolean;
  /** Whether records are lines: after a write that failed half way a new line is begun. */
  readonly isLines: boolean;
  /** 0: each record is written as soon as the one before it is. */
  readonly flushIntervalMs: number;
  /** 0: no rotation. */
  readonly maxBytes: number;
  /** Full files to keep; 0: all. */
  readonly maxBackups: number;
  /** Age at which full files are removed; 0: never. */
  readonly maxAgeMs: number;
  /** Whether full files are named after the local time rather than UTC. */
  readonly localTime: boolean;
  /** Milliseconds since the epoch, for the names of full files. */
  readonly now: () => number;
}

interface Entry {
  readonly record: Buffer;
  readonly settle: (error: Error | undefined) => void;
}

/** What may wait to be written before `append` makes its caller wait. */
const MAX_BUFFER_BYTES = 4 * 1024 * 1024;

export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #handle: FileHandle | undefined;
  #fileBytes = 0;
  #entries: Entry[] = [];
  #bufferedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  /** The last write may have stopped inside a record. */
  #torn = false;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Rejects when the file can't be opened. `goOn`: keeps what is in it, whatever the options say. */
  async open(goOn = false): Promise<void> {
    const { path, append, maxBytes } = this.#options;
    this.#handle = await open(path, goOn || append || maxBytes > 0 ? 'a' : 'w', 0o644);
    this.#fileBytes = (await this.#handle.stat()).size;
  }

  /**
   * Takes a record (of lines: with its newline). Resolves when it is in the buffer; `settle` is called once, when it is in
   * the file or can't be written.
   */
  async append(record: Buffer, settle: Entry['settle']): Promise<void> {
    this.#entries.push({ record, settle });
    this.#bufferedBytes += record.length;
    if (this.#options.flushIntervalMs === 0) return this.flush();
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.flushIntervalMs).unref();
    if (this.#bufferedBytes > MAX_BUFFER_BYTES) await this.flush();
  }

  /** Writes what is in the buffer. Never rejects: each record hears of its own failure. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#flushing !== undefined) await this.#flushing;
    this.#flushing = this.#writeAll();
    await this.#flushing;
    this.#flushing = undefined;
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    await this.flush();
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #writeAll(): Promise<void> {
    const entries = this.#entries;
    this.#entries = [];
    this.#bufferedBytes = 0;
    for (let start = 0; start < entries.length; ) {
      const end = this.#groupEnd(entries, start);
      const group = entries.slice(start, end);
      const error = await this.#write(Buffer.concat(group.map(({ record }) => record))).catch(
        (reason: unknown) => reason as Error,
      );
      for (const { settle } of group) settle(error ?? undefined);
      start = end;
    }
  }

  /** As many records as fit into the current file; one at least, then a new file is begun before it. */
  #groupEnd(entries: readonly Entry[], start: number): number {
    const { maxBytes } = this.#options;
    if (maxBytes === 0) return entries.length;
    let room = this.#fileBytes === 0 ? maxBytes : maxBytes - this.#fileBytes;
    if (entries[start]!.record.length > room) room = maxBytes;
    let end = start;
    while (end < entries.length && (end === start || entries[end]!.record.length <= room)) {
      room -= entries[end]!.record.length;
      end += 1;
    }
    return end;
  }

  async #write(bytes: Buffer): Promise<void> {
    const { maxBytes } = this.#options;
    if (maxBytes > 0 && this.#fileBytes > 0 && this.#fileBytes + bytes.length > maxBytes)
      await this.#rotate();
    const handle = this.#handle;
    if (handle === undefined) throw new Error('file is closed');
    if (this.#torn) this.#torn = await this.#isStillTorn(handle);
    const whole = this.#torn ? Buffer.concat([Buffer.from('\n'), bytes]) : bytes;
    this.#torn = true;
    await handle.appendFile(whole);
    this.#torn = false;
    this.#fileBytes += whole.length;
  }

  /** Takes back what a failed write left. Where that can't be done a line can be ended; nothing else can go on. */
  async #isStillTorn(handle: FileHandle): Promise<boolean> {
    try {
      await handle.truncate(this.#fileBytes);
      return false;
    } catch (error) {
      if (!this.#options.isLines) throw error;
      return true;
    }
  }

  async #rotate(): Promise<void> {
    const { path, maxBackups, maxAgeMs, now } = this.#options;
    const extension = extname(path);
    const prefix = `${basename(path, extension)}-`;
    await this.#handle?.close();
    this.#handle = undefined;
    try {
      await rename(path, join(dirname(path), `${prefix}${this.#stampOf(now())}-size${extension}`));
    } finally {
      // Without room for another name the old file goes on, rather than nothing.
      this.#handle = await open(path, 'a', 0o644);
      this.#fileBytes = (await this.#handle.stat()).size;
    }
    if (maxBackups > 0 || maxAgeMs > 0) await this.#removeOld(prefix, extension);
  }

  #stampOf(ms: number): string {
    const shiftMs = this.#options.localTime ? new Date(ms).getTimezoneOffset() * 60_000 : 0;
    return new Date(ms - shiftMs).toISOString().slice(0, 23).replaceAll(':', '-');
  }

  async #removeOld(prefix: string, extension: string): Promise<void> {
    const { path, maxBackups, maxAgeMs, now } = this.#options;
    const directory = dirname(path);
    const stampOf = (name: string): string | undefined =>
      name.startsWith(prefix) && name.endsWith(extension)
        ? BACKUP.exec(name.slice(prefix.length, name.length - extension.length))?.[1]
        : undefined;
    const backups = (await readdir(directory))
      .flatMap((name) => {
        const stamp = stampOf(name);
        return stamp === undefined ? [] : [{ name, stamp }];
      })
      .sort((a, b) => (a.stamp < b.stamp ? -1 : 1));
    const oldest = maxAgeMs === 0 ? '' : this.#stampOf(now() - maxAgeMs);
    const surplus = maxBackups === 0 ? 0 : backups.length - maxBackups;
    for (const [index, { name, stamp }] of backups.entries()) {
      if (index < surplus || stamp < oldest) await rm(join(directory, name), { force: true });
    }
  }
}

/** What stands between name and extension of a full file, of older releases too. */
const BACKUP = /^(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3})(?:-size)?$/;
