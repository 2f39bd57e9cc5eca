/**
 * The open files of a `file` exporter, shared by its instances (one for each signal). At most `maxOpenFiles`; of more, the
 * one that was not written to for longest is closed.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RotatingFile, type RotatingFileOptions } from './rotating-file.js';

export interface FilePoolOptions extends Omit<RotatingFileOptions, 'path'> {
  /** Undefined: there is one file only, which stays open. */
  readonly maxOpenFiles: number | undefined;
  /** Permissions of directories that are made; undefined: none are made. */
  readonly directoryMode: number | undefined;
}

interface OpenFile {
  readonly file: RotatingFile;
  readonly opened: Promise<void>;
  /** Records on their way into it; it is not closed meanwhile. */
  pending: number;
}

export class FilePool {
  readonly #options: FilePoolOptions;
  /** By path, the one written to last at the end. */
  readonly #files = new Map<string, OpenFile>();
  readonly #startedMs: number;

  constructor(options: FilePoolOptions) {
    this.#options = options;
    this.#startedMs = options.now();
  }

  /** Rejects when the file can't be opened. */
  open(path: string): Promise<void> {
    return this.#fileAt(path).opened;
  }

  /** As `append` of `RotatingFile`; a file that can't be opened settles with the reason. */
  async append(path: string, record: Buffer, settle: (error: Error | undefined) => void): Promise<void> {
    const entry = this.#fileAt(path);
    entry.pending += 1;
    try {
      await entry.opened;
    } catch (error) {
      this.#files.delete(path);
      settle(error as Error);
      return;
    }
    try {
      await entry.file.append(record, settle);
    } finally {
      entry.pending -= 1;
      await this.#closeSurplus();
    }
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#files.values()].map(({ file }) => file.flush()));
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map(({ file }) => file.close()));
  }

  #fileAt(path: string): OpenFile {
    let entry = this.#files.get(path);
    if (entry === undefined) {
      const file = new RotatingFile({ ...this.#options, path });
      entry = { file, opened: this.#open(path, file), pending: 0 };
      // Who waits for it hears of a failure.
      entry.opened.catch(() => {});
    } else this.#files.delete(path);
    this.#files.set(path, entry);
    return entry;
  }

  async #open(path: string, file: RotatingFile): Promise<void> {
    const { directoryMode, maxOpenFiles } = this.#options;
    if (directoryMode !== undefined) await mkdir(dirname(path), { recursive: true, mode: directoryMode });
    // A file that was closed as surplus goes on; one of an earlier run is emptied.
    const isOurs = async (): Promise<boolean> =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs >= this.#startedMs,
        () => false,
      );
    await file.open(maxOpenFiles !== undefined && (await isOurs()));
  }

  async #closeSurplus(): Promise<void> {
    const { maxOpenFiles } = this.#options;
    if (maxOpenFiles === undefined) return;
    for (const [path, { file, pending }] of this.#files) {
      if (this.#files.size <= maxOpenFiles) return;
      if (pending > 0) continue;
      this.#files.delete(path);
      await file.close();
    }
  }
}
