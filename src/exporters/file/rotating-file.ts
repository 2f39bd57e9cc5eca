/**
 * A file of lines that is written in groups and, when asked, begun anew when it is full.
 *
 * `path/name.json` is the current file; full ones are `path/name-2026-11-21T04-05-06.789.json`, as
 * https://github.com/natefinch/lumberjack/tree/v2.2.1 names them, the Collector's rotation of many releases.
 */
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';

export interface RotatingFileOptions {
  readonly path: string;
  /** Whether to keep what is in the file already. */
  readonly append: boolean;
  /** 0: each line is written as soon as the one before it is. */
  readonly flushIntervalMs: number;
  /** 0: no rotation. */
  readonly maxBytes: number;
  /** Full files to keep; 0: all. */
  readonly maxBackups: number;
  /** Milliseconds since the epoch, for the names of full files. */
  readonly now: () => number;
}

interface Line {
  readonly text: Buffer;
  readonly settle: (error: Error | undefined) => void;
}

/** What may wait to be written before `append` makes its caller wait. */
const MAX_BUFFER_BYTES = 4 * 1024 * 1024;

export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #handle: FileHandle | undefined;
  #fileBytes = 0;
  #lines: Line[] = [];
  #bufferedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  /** The last write may have stopped inside a line. */
  #torn = false;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Rejects when the file can't be opened. */
  async open(): Promise<void> {
    const { path, append, maxBytes } = this.#options;
    this.#handle = await open(path, append || maxBytes > 0 ? 'a' : 'w', 0o644);
    this.#fileBytes = (await this.#handle.stat()).size;
  }

  /**
   * Takes a line (without its newline). Resolves when it is in the buffer; `settle` is called once, when it is in the
   * file or can't be written.
   */
  async append(line: string, settle: Line['settle']): Promise<void> {
    const text = Buffer.from(`${line}\n`);
    this.#lines.push({ text, settle });
    this.#bufferedBytes += text.length;
    if (this.#options.flushIntervalMs === 0) return this.flush();
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.flushIntervalMs).unref();
    if (this.#bufferedBytes > MAX_BUFFER_BYTES) await this.flush();
  }

  /** Writes what is in the buffer. Never rejects: each line hears of its own failure. */
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
    const lines = this.#lines;
    this.#lines = [];
    this.#bufferedBytes = 0;
    for (let start = 0; start < lines.length; ) {
      const end = this.#groupEnd(lines, start);
      const group = lines.slice(start, end);
      const error = await this.#write(Buffer.concat(group.map(({ text }) => text))).catch(
        (reason: unknown) => reason as Error,
      );
      for (const { settle } of group) settle(error ?? undefined);
      start = end;
    }
  }

  /** As many lines as fit into the current file; one at least, then a new file is begun before it. */
  #groupEnd(lines: readonly Line[], start: number): number {
    const { maxBytes } = this.#options;
    if (maxBytes === 0) return lines.length;
    let room = this.#fileBytes === 0 ? maxBytes : maxBytes - this.#fileBytes;
    if (lines[start]!.text.length > room) room = maxBytes;
    let end = start;
    while (end < lines.length && (end === start || lines[end]!.text.length <= room)) {
      room -= lines[end]!.text.length;
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
    const whole = this.#torn ? Buffer.concat([Buffer.from('\n'), bytes]) : bytes;
    this.#torn = true;
    await handle.appendFile(whole);
    this.#torn = false;
    this.#fileBytes += whole.length;
  }

  async #rotate(): Promise<void> {
    const { path, maxBackups, now } = this.#options;
    const extension = extname(path);
    const prefix = `${basename(path, extension)}-`;
    const stamp = new Date(now()).toISOString().slice(0, 23).replaceAll(':', '-');
    await this.#handle?.close();
    this.#handle = undefined;
    try {
      await rename(path, join(dirname(path), `${prefix}${stamp}${extension}`));
    } finally {
      // Without room for another name the old file goes on, rather than nothing.
      this.#handle = await open(path, 'a', 0o644);
      this.#fileBytes = (await this.#handle.stat()).size;
    }
    if (maxBackups > 0) await this.#removeOld(prefix, extension, maxBackups);
  }

  async #removeOld(prefix: string, extension: string, keep: number): Promise<void> {
    const directory = dirname(this.#options.path);
    const stamped = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/;
    const backups = (await readdir(directory)).filter(
      (name) =>
        name.startsWith(prefix) &&
        name.endsWith(extension) &&
        stamped.test(name.slice(prefix.length, name.length - extension.length)),
    );
    for (const name of backups.sort().slice(0, -keep)) await rm(join(directory, name), { force: true });
  }
}
