/**
 * A disk in memory that forgets, at a power cut, what was not synced: of each file any prefix of the unsynced writes may
 * survive (the last of them torn), of the directory any of the unsynced names. It can also fail at a chosen call.
 */
import { basename } from 'node:path';
import type { QueueFile, QueueFiles } from '../../../src/queue-log/queue-files.js';

interface Inode {
  bytes: Buffer;
  /** Content that a power cut leaves at least. */
  durable: Buffer;
  /** Writes since the last sync, in order. */
  unsynced: { readonly bytes: Buffer; readonly position: number }[];
  links: number;
}

export class CrashingDisk implements QueueFiles {
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  /** Calls that change something, so far. */
  calls = 0;
  syncs = 0;
  /** Asked before each call that changes something; what it returns is thrown. */
  fail: (operation: string, path: string, call: number) => Error | undefined = () => undefined;

  /** The same disk after a power cut; `random` (0 to 1) decides what of the unsynced survives. */
  cut(random: () => number): CrashingDisk {
    const after = new CrashingDisk();
    for (const name of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      const now = this.#names.get(name);
      const durable = this.#durableNames.get(name);
      const inode = now === durable || random() < 0.5 ? now : durable;
      if (inode === undefined) continue;
      let bytes: Buffer = Buffer.from(inode.durable);
      const survivors = Math.floor(random() * (inode.unsynced.length + 1));
      for (const [index, write] of inode.unsynced.slice(0, survivors).entries()) {
        const isLast = index === survivors - 1;
        const length = isLast ? Math.floor(random() * (write.bytes.length + 1)) : write.bytes.length;
        bytes = overwrite(bytes, write.bytes.subarray(0, length), write.position);
      }
      after.#names.set(name, { bytes, durable: Buffer.from(bytes), unsynced: [], links: 1 });
    }
    after.#durableNames = new Map(after.#names);
    return after;
  }

  /** The same disk after the process was killed: everything that was written is there. */
  kill(): CrashingDisk {
    const after = new CrashingDisk();
    for (const [name, { bytes }] of this.#names) {
      after.#names.set(name, {
        bytes: Buffer.from(bytes),
        durable: Buffer.from(bytes),
        unsynced: [],
        links: 1,
      });
    }
    after.#durableNames = new Map(after.#names);
    return after;
  }

  names(): string[] {
    return [...this.#names.keys()].sort();
  }

  content(name: string): Buffer {
    return this.#inode(name).bytes;
  }

  /** Replaces what a file holds, as damage does. */
  replace(name: string, bytes: Buffer): void {
    const inode = this.#inode(name);
    inode.bytes = Buffer.from(bytes);
    inode.durable = Buffer.from(bytes);
    inode.unsynced = [];
  }

  /** `rm -rf` of everything. */
  clear(): void {
    for (const inode of this.#names.values()) inode.links = 0;
    this.#names.clear();
    this.#durableNames.clear();
  }

  async create(path: string): Promise<QueueFile> {
    this.#change('create', path);
    const name = basename(path);
    if (this.#names.has(name)) throw errno('EEXIST', path);
    const inode = { bytes: Buffer.alloc(0), durable: Buffer.alloc(0), unsynced: [], links: 1 };
    this.#names.set(name, inode);
    return this.#open(inode, path);
  }

  async open(path: string, create = false): Promise<QueueFile> {
    const inode = this.#names.get(basename(path));
    if (inode !== undefined) return this.#open(inode, path);
    if (!create) throw errno('ENOENT', path);
    return this.create(path);
  }

  async openForReading(path: string): Promise<QueueFile> {
    return this.#open(this.#inode(basename(path)), path);
  }

  async readAll(path: string): Promise<Buffer> {
    return Buffer.from(this.#inode(basename(path)).bytes);
  }

  async size(path: string): Promise<number> {
    return this.#inode(basename(path)).bytes.length;
  }

  async list(): Promise<string[]> {
    return this.names();
  }

  async remove(path: string): Promise<void> {
    this.#change('remove', path);
    const inode = this.#names.get(basename(path));
    if (inode !== undefined) inode.links = 0;
    this.#names.delete(basename(path));
  }

  async makeDirectory(): Promise<void> {}

  async syncDirectory(directory: string): Promise<void> {
    this.#change('syncDirectory', directory);
    this.#durableNames = new Map(this.#names);
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw errno('ENOENT', name);
    return inode;
  }

  #change(operation: string, path: string): void {
    const failure = this.fail(operation, path, this.calls++);
    if (failure !== undefined) throw failure;
  }

  #open(inode: Inode, path: string): QueueFile {
    return {
      read: async (buffer, position) => inode.bytes.copy(buffer, 0, position),
      write: async (buffers, position) => {
        const bytes = Buffer.concat(buffers);
        const failure = this.fail('write', path, this.calls++);
        // A disk that is full takes a part.
        const taken = failure === undefined ? bytes : bytes.subarray(0, bytes.length >> 1);
        inode.bytes = overwrite(inode.bytes, taken, position);
        inode.unsynced.push({ bytes: taken, position });
        if (failure !== undefined) throw failure;
      },
      sync: async () => {
        this.#change('sync', path);
        this.syncs++;
        inode.durable = Buffer.from(inode.bytes);
        inode.unsynced = [];
      },
      truncate: async (length) => {
        this.#change('truncate', path);
        inode.bytes = Buffer.from(inode.bytes.subarray(0, length));
        inode.unsynced = inode.unsynced.filter(({ position }) => position < length);
      },
      exists: async () => inode.links > 0,
      close: async () => {},
    };
  }
}

function overwrite(bytes: Buffer, written: Uint8Array, position: number): Buffer {
  const result = Buffer.alloc(Math.max(bytes.length, position + written.length));
  bytes.copy(result);
  result.set(written, position);
  return result;
}

export const errno = (code: string, path = ''): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: ${path}`), { code });
