/**
 * The journal beside a segment: what has become of its records. Entries of 24 bytes; the first two are `began` and
 * `committed` and are written over in place, the others are appended:
 *
 *      0      4        8       16         20
 *      +------+--------+-------+----------+-----+
 *      | kind | offset | items | reserved | crc |
 *      +------+--------+-------+----------+-----+
 *      u32    u32      f64     u32        u32, CRC-32C of bytes 0 to 20 from the segment's salt
 *
 * A damaged entry is skipped; then a record that was delivered is delivered again, which at-least-once allows.
 */
import { crc32c } from '../transport/crc32c.js';

export const JOURNAL_ENTRY_BYTES = 24;
/** Where the appended entries begin. */
export const JOURNAL_FIXED_BYTES = 2 * JOURNAL_ENTRY_BYTES;

export type JournalEntry =
  /** The log held `items` items when the segment was begun. `offset` is 0. */
  | { readonly kind: 'began'; readonly offset: number; readonly items: number }
  /** The record at `offset` was delivered or given up with a reason that was counted. `items` are its items. */
  | { readonly kind: 'done'; readonly offset: number; readonly items: number }
  /** The gap at `offset` has been counted as lost, so that the next start does not count it again. */
  | { readonly kind: 'lost'; readonly offset: number; readonly items: number }
  /** The segment held whole records up to `offset`, and the log `items` items: less than that is a loss. */
  | { readonly kind: 'committed'; readonly offset: number; readonly items: number };

/** Codes on disk; never renumber. */
const CODES = { done: 1, lost: 2, committed: 3, began: 4 } as const;
const KINDS = [undefined, 'done', 'lost', 'committed', 'began'] as const;

export function encodeJournal(entries: readonly JournalEntry[], salt: number): Buffer {
  const bytes = Buffer.alloc(entries.length * JOURNAL_ENTRY_BYTES);
  for (const [index, { kind, offset, items }] of entries.entries()) {
    const at = index * JOURNAL_ENTRY_BYTES;
    bytes.writeUInt32LE(CODES[kind], at);
    bytes.writeUInt32LE(offset, at + 4);
    bytes.writeDoubleLE(items, at + 8);
    bytes.writeUInt32LE(crc32c(bytes, salt, at, at + 20), at + 20);
  }
  return bytes;
}

export interface Journal {
  /** Items by offset of the records that need not be delivered any more. */
  readonly done: ReadonlyMap<number, number>;
  readonly lost: ReadonlySet<number>;
  readonly began: JournalEntry | undefined;
  readonly committed: JournalEntry | undefined;
  readonly damagedEntries: number;
  /** Where the next entry goes. */
  readonly end: number;
}

export function decodeJournal(bytes: Buffer, salt: number): Journal {
  const done = new Map<number, number>();
  const lost = new Set<number>();
  let began: JournalEntry | undefined;
  let committed: JournalEntry | undefined;
  let damagedEntries = bytes.length % JOURNAL_ENTRY_BYTES === 0 ? 0 : 1;
  const end = bytes.length - (bytes.length % JOURNAL_ENTRY_BYTES);
  for (let at = 0; at < end; at += JOURNAL_ENTRY_BYTES) {
    // The first two were never written: the disk was full then.
    if (at < JOURNAL_FIXED_BYTES && bytes.subarray(at, at + JOURNAL_ENTRY_BYTES).every((byte) => byte === 0))
      continue;
    const kind = KINDS[bytes.readUInt32LE(at)];
    if (kind === undefined || crc32c(bytes, salt, at, at + 20) !== bytes.readUInt32LE(at + 20)) {
      damagedEntries++;
      continue;
    }
    const offset = bytes.readUInt32LE(at + 4);
    const items = bytes.readDoubleLE(at + 8);
    if (kind === 'done') done.set(offset, items);
    else if (kind === 'lost') lost.add(offset);
    else if (kind === 'began') began = { kind, offset, items };
    else committed = { kind, offset, items };
  }
  return { done, lost, began, committed, damagedEntries, end: Math.max(end, JOURNAL_FIXED_BYTES) };
}
