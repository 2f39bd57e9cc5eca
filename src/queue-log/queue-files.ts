/** The part of the file system that a queue log uses, so that tests can break it at every step. */
import { type FileHandle, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';

/** An open file. Positions are given with each call. */
export interface QueueFile {
  /** Bytes read into `buffer` from `position`; less than its length at the end of the file. */
  read(buffer: Buffer, position: number): Promise<number>;
  /** Writes all of `buffers`, or rejects; then any part of them may be in the file. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** fdatasync(2). */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  /** False when the file has been deleted although it is open. */
  exists(): Promise<boolean>;
  close(): Promise<void>;
}

export interface QueueFiles {
  /** Creates a file that must not exist. */
  create(path: string): Promise<QueueFile>;
  /** Opens a file for reading and writing; creates it where `create` is set. */
  open(path: string, create?: boolean): Promise<QueueFile>;
  openForReading(path: string): Promise<QueueFile>;
  readAll(path: string): Promise<Buffer>;
  size(path: string): Promise<number>;
  list(directory: string): Promise<string[]>;
  remove(path: string): Promise<void>;
  makeDirectory(directory: string, mode: number): Promise<void>;
  /** Makes created and removed names durable. */
  syncDirectory(directory: string): Promise<void>;
}

const FILE_MODE = 0o600;

class NodeFile implements QueueFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(buffer: Buffer, position: number): Promise<number> {
    let done = 0;
    while (done < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, done, buffer.length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    let { bytesWritten } = await this.#handle.writev(buffers, position);
    if (bytesWritten === total) return;
    // write(2) stops short when the disk becomes full, and beyond 2 GiB. The next call says which.
    const whole = Buffer.concat(buffers, total);
    while (bytesWritten < total) {
      const rest = await this.#handle.write(
        whole,
        bytesWritten,
        total - bytesWritten,
        position + bytesWritten,
      );
      if (rest.bytesWritten === 0) throw new Error('the file accepts no more bytes');
      bytesWritten += rest.bytesWritten;
    }
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  async exists(): Promise<boolean> {
    return (await this.#handle.stat()).nlink > 0;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

export const NODE_FILES: QueueFiles = {
  create: async (path) => new NodeFile(await open(path, 'wx+', FILE_MODE)),
  open: async (path, create = false) => {
    try {
      return new NodeFile(await open(path, 'r+', FILE_MODE));
    } catch (error) {
      if (!create || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return new NodeFile(await open(path, 'wx+', FILE_MODE));
    }
  },
  openForReading: async (path) => new NodeFile(await open(path, 'r')),
  readAll: (path) => readFile(path),
  size: async (path) => (await stat(path)).size,
  list: (directory) => readdir(directory),
  remove: (path) => rm(path, { force: true }),
  makeDirectory: async (directory, mode) => {
    try {
      await mkdir(directory, { mode });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return;
      // Not at once: on a read-only disk Node.js says ENOENT for it, and the reason would be lost.
      if (code !== 'ENOENT') throw error;
      await mkdir(directory, { recursive: true, mode });
    }
  },
  syncDirectory: async (directory) => {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
