import { join } from 'node:path';
import type { QueueTally } from '../component/storage.js';
import { baseName, type SegmentName } from './format.js';
import { encodeJournal, JOURNAL_FIXED_BYTES, type JournalEntry } from './journal.js';
import type { QueueFile, QueueFiles } from './queue-files.js';

export type MutableTally = { -readonly [K in keyof QueueTally]: QueueTally[K] };

export const emptyTally = (): MutableTally => ({ records: 0, items: 0, bytes: 0 });

export function addTo(tally: MutableTally, { records, items, bytes }: QueueTally, sign = 1): void {
  tally.records += sign * records;
  tally.items += sign * items;
  tally.bytes += sign * bytes;
}

/**
 * One segment file with its journal: where its good records end, how many of them are still needed, and the open files.
 * It knows nothing of the order of segments, nor when to write; that is the log's.
 */
export class Segment {
  readonly name: SegmentName;
  readonly path: string;
  readonly journalPath: string;
  /** Behind the last good record. */
  end: number;
  /** Items in the log when the segment was begun. Of those that are written to. */
  itemsBefore = 0;
  /** Records that are not done. */
  readonly pending = emptyTally();
  /** Records behind the log's reading position, that nobody has taken. */
  readonly unread = emptyTally();
  /** Offsets of records that were done before the log was opened. */
  done: ReadonlyMap<number, number> = new Map();
  /** End by start of stretches without a readable record. */
  readonly gaps = new Map<number, number>();
  readonly #files: QueueFiles;
  #file: QueueFile | undefined;
  #journal: QueueFile | undefined;
  #journalEnd: number;
  #notes: JournalEntry[] = [];
  #unsynced = false;

  constructor(files: QueueFiles, directory: string, name: SegmentName, end: number, journalEnd: number) {
    this.#files = files;
    this.name = name;
    this.path = join(directory, `${baseName(name)}.kq`);
    this.journalPath = join(directory, `${baseName(name)}.ack`);
    this.end = end;
    this.#journalEnd = journalEnd;
  }

  /** The file that was just created. */
  adopt(file: QueueFile): void {
    this.#file = file;
  }

  /** The open file; opened for reading when it is not open. */
  async file(): Promise<QueueFile> {
    this.#file ??= await this.#files.openForReading(this.path);
    return this.#file;
  }

  /** Remembers `entry` for the next `writeNotes`. */
  note(entry: JournalEntry): void {
    this.#notes.push(entry);
  }

  get hasNotes(): boolean {
    return this.#notes.length > 0 || this.#unsynced;
  }

  /** Writes what `note` remembers. What could not be written is kept for the next call. */
  async writeNotes(sync: boolean): Promise<void> {
    const notes = this.#notes;
    if (notes.length > 0) {
      this.#notes = [];
      try {
        const journal = await this.#openJournal();
        const bytes = encodeJournal(notes, this.name.salt);
        await journal.write([bytes], this.#journalEnd);
        this.#journalEnd += bytes.length;
        this.#unsynced = true;
      } catch (error) {
        this.#notes = [...notes, ...this.#notes];
        throw error;
      }
    }
    if (sync && this.#unsynced) {
      // Opened again after it was closed: the kernel syncs the file, whoever wrote it.
      await (await this.#openJournal()).sync();
      this.#unsynced = false;
    }
  }

  /** Writes that whole records end at `end` and that the log holds `items` items there. */
  async noteCommitted(end: number, items: number): Promise<void> {
    const journal = await this.#openJournal();
    const entries = [
      { kind: 'began', offset: 0, items: this.itemsBefore },
      { kind: 'committed', offset: end, items },
    ] as const;
    await journal.write([encodeJournal(entries, this.name.salt)], 0);
  }

  /** Deletes both files. The journal goes last: without it, everything in the segment would be delivered again. */
  async remove(): Promise<void> {
    await this.close();
    this.#notes = [];
    this.#unsynced = false;
    await this.#files.remove(this.path);
    await this.#files.remove(this.journalPath);
  }

  async close(): Promise<void> {
    await this.closeFile();
    await this.closeJournal();
  }

  async closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }

  async closeJournal(): Promise<void> {
    const journal = this.#journal;
    this.#journal = undefined;
    await journal?.close().catch(() => undefined);
  }

  async #openJournal(): Promise<QueueFile> {
    this.#journal ??= await this.#files.open(this.journalPath, true);
    this.#journalEnd = Math.max(this.#journalEnd, JOURNAL_FIXED_BYTES);
    return this.#journal;
  }
}
