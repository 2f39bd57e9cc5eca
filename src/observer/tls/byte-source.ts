/** Bytes of a file that nobody vouches for, read piece by piece. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface ByteSource {
  readonly size: number;
  /** Exactly `length` bytes at `offset`, or undefined when they are not all there. */
  read(offset: number, length: number): Buffer | undefined;
}

/** Bytes in memory. */
export class MemoryBytes implements ByteSource {
  readonly #bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(offset: number, length: number): Buffer | undefined {
    if (!isRange(offset, length, this.size)) return undefined;
    return this.#bytes.subarray(offset, offset + length);
  }
}

/**
 * An open regular file. Read with pread, never mapped: its owner may cut it at any moment. Close it.
 * The kernel follows `/proc/self/fd/N` to the same inode, whatever has become of its path.
 */
export class OpenFile implements ByteSource, Disposable {
  readonly fd: number;
  readonly size: number;
  /** Device, inode, size and time of the last change: tells one version of a file from another. */
  readonly identity: string;

  private constructor(fd: number, size: number, identity: string) {
    this.fd = fd;
    this.size = size;
    this.identity = identity;
  }

  /**
   * Opens `path` following links: meant for /proc/PID/map_files/*, whose links lead straight to the mapped file, even
   * of a process in another mount namespace and when the file is deleted. Undefined when that fails or when it is no
   * regular file.
   */
  static open(path: string): OpenFile | undefined {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch {
      return undefined;
    }
    try {
      const stat = fstatSync(fd, { bigint: true });
      if (stat.isFile()) {
        const identity = `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}`;
        return new OpenFile(fd, Number(stat.size), identity);
      }
    } catch {
      // Closed below.
    }
    closeSync(fd);
    return undefined;
  }

  read(offset: number, length: number): Buffer | undefined {
    if (!isRange(offset, length, this.size)) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    try {
      for (let done = 0; done < length; ) {
        const count = readSync(this.fd, bytes, done, length - done, offset + done);
        if (count === 0) return undefined;
        done += count;
      }
    } catch {
      return undefined;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

function isRange(offset: number, length: number, size: number): boolean {
  return Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= size;
}
