/**
 * Writes to a file descriptor without ever blocking the program: a terminal that is stopped with Ctrl-S, or a pipe that
 * nobody reads, costs frames and nothing else. (`process.stdout` writes to both synchronously on Linux.)
 */
import { write, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

export interface TerminalOutput {
  readonly isTty: boolean;
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  /** True while an earlier text is still on its way: a good time to skip a frame. */
  readonly isBusy: boolean;
  write(text: string): void;
  /** Resolves when everything is written or `deadline` aborts. */
  drain(deadline: AbortSignal): Promise<void>;
  /** At once, best effort, for the moment before the process ends. */
  writeLast(text: string): void;
}

const MAX_QUEUED_BYTES = 1 << 20;
const RETRY_MS = 20;

export class DescriptorOutput implements TerminalOutput {
  readonly isTty: boolean;
  readonly #fd: number;
  readonly #size: () => { columns?: number | undefined; rows?: number | undefined };
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #writing = false;
  #broken = false;
  #idle: (() => void)[] = [];

  /** `size` tells the current size of the terminal. */
  constructor(fd: number, size: () => { columns?: number | undefined; rows?: number | undefined }) {
    this.#fd = fd;
    this.#size = size;
    this.isTty = isatty(fd);
  }

  // A pseudo-terminal that nobody gave a size says 0 by 0.
  get columns(): number | undefined {
    return this.#size().columns || undefined;
  }
  get rows(): number | undefined {
    return this.#size().rows || undefined;
  }
  get isBusy(): boolean {
    return this.#writing;
  }

  write(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    if (this.#broken || this.#queuedBytes + bytes.length > MAX_QUEUED_BYTES) return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (!this.#writing) this.#writeNext();
  }

  async drain(deadline: AbortSignal): Promise<void> {
    if (!this.#writing || deadline.aborted) return;
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
      deadline.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  writeLast(text: string): void {
    if (this.#broken) return;
    try {
      writeSync(this.#fd, text);
    } catch {
      // The terminal is gone or full; there is nobody left to tell.
    }
  }

  #writeNext(): void {
    const bytes = this.#queue[0];
    if (bytes === undefined) {
      this.#writing = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#writing = true;
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error !== null) {
        if (error.code === 'EAGAIN') {
          setTimeout(() => this.#writeNext(), RETRY_MS).unref();
          return;
        }
        // EPIPE and the like: the reader has gone. The agent goes on without a summary.
        this.#broken = true;
        this.#queue = [];
        this.#queuedBytes = 0;
      } else {
        this.#queuedBytes -= written;
        if (written < bytes.length) this.#queue[0] = bytes.subarray(written);
        else this.#queue.shift();
      }
      this.#writeNext();
    });
  }
}

/** The program's standard output. */
export const standardOutput = (): TerminalOutput => new DescriptorOutput(1, () => process.stdout);
