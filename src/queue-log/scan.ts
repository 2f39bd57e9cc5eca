/** Reads a whole segment that may be damaged anywhere: which records are good, and what is missing between them. */
import {
  decodeRecordHeader,
  isBodyValid,
  RECORD_MAGIC_BYTES,
  type RecordHeader,
  SEGMENT_HEADER_BYTES,
} from './format.js';

/** A stretch of a segment that holds no readable record. */
export interface Gap {
  readonly start: number;
  readonly end: number;
  /** Items of the records that were there; undefined when nothing behind the gap tells. */
  readonly items: number | undefined;
}

export interface SegmentScan {
  readonly records: readonly RecordHeader[];
  /** Damage before `goodEnd`, in order. */
  readonly gaps: readonly Gap[];
  /** Where the last good record ends; what follows in the file is a torn or damaged tail. */
  readonly goodEnd: number;
  /** Items in the log up to `goodEnd`, gaps included. */
  readonly itemsAtEnd: number;
}

/**
 * Scans `bytes` (a segment from its beginning) from `start`. `itemsBefore` is the number of items in the log before
 * `start`, as far as it is known. Never throws, and takes time linear in the length: bodies are only checked behind a
 * header whose own checksum is right, which no payload can forge without knowing the salt.
 */
export function scanSegment(
  bytes: Buffer,
  salt: number,
  itemsBefore: number | undefined,
  start = SEGMENT_HEADER_BYTES,
): SegmentScan {
  const records: RecordHeader[] = [];
  const gaps: Gap[] = [];
  let position = start;
  let goodEnd = start;
  let items = itemsBefore;
  while (position < bytes.length) {
    const header = decodeRecordHeader(bytes, position, salt);
    if (header === undefined || header.end > bytes.length) {
      const next = bytes.indexOf(RECORD_MAGIC_BYTES, position + 1);
      if (next < 0) break;
      position = next;
      continue;
    }
    if (isBodyValid(bytes, position, header, salt)) {
      if (position > goodEnd) {
        const lost = items === undefined ? undefined : Math.max(0, header.itemsBefore - items);
        gaps.push({ start: goodEnd, end: position, items: lost });
      }
      records.push(header);
      goodEnd = header.end;
      items = header.itemsBefore + header.itemCount;
    } else if (header.end <= bytes.length) {
      // A damaged body behind a good header: a gap of known size and content.
      if (position > goodEnd) {
        const lost = items === undefined ? undefined : Math.max(0, header.itemsBefore - items);
        gaps.push({ start: goodEnd, end: position, items: lost });
      }
      gaps.push({ start: position, end: header.end, items: header.itemCount });
      goodEnd = header.end;
      items = header.itemsBefore + header.itemCount;
    }
    position = header.end;
  }
  return { records, gaps, goodEnd: Math.min(goodEnd, bytes.length), itemsAtEnd: items ?? 0 };
}
