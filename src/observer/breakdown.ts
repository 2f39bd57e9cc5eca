/**
 * Where a span's time went: pieces of evidence in, exact nanoseconds for each class out.
 *
 * The wall time of a span is explained once. Pieces may overlap; an earlier one in the list wins, and what no piece
 * covers is `unattributed`. All cuts are whole nanoseconds after the span's start and each slice begins where the one
 * before it ends, therefore the classes always sum to the duration.
 */
import { WAIT_CLASS, type WaitDetail, waitDetail, waitReason } from './classify.js';
import type { Architecture } from './classify-syscalls.js';
import type { Timeline } from './timeline.js';
import { type MonoNs, TIME_CLASSES, type TimeClass, type WaitRecord } from './types.js';

/** A stretch of time in which a thread worked for the span, or waited on its behalf. */
export interface Piece {
  readonly tgid: number;
  readonly tid: number;
  readonly from: MonoNs;
  readonly to: MonoNs;
  /** 0…1 */
  readonly confidence: number;
  readonly evidence: string;
  /** When set, the class is known and the thread's timeline is not asked. */
  readonly as?: KnownTime | undefined;
}

/** A class that follows from more than one thread's waits, for example the answer that an event loop waits for. */
export interface KnownTime {
  readonly timeClass: TimeClass;
  readonly reason: string;
  readonly peer?: { readonly address: string; readonly port: number } | undefined;
}

/** A stretch of one class; `from` and `to` are nanoseconds after the span's start. */
export interface Slice {
  readonly from: number;
  to: number;
  readonly timeClass: TimeClass;
  /** Undefined where nothing is known. */
  readonly piece: Piece | undefined;
  /** The wait behind it, for classes other than `cpu`. */
  readonly wait: WaitRecord | undefined;
}

export interface Breakdown {
  readonly durationNs: number;
  /** Nanoseconds of each class; they sum to `durationNs`. */
  readonly totals: Readonly<Record<TimeClass, number>>;
  /** Oldest first; they tile [0, durationNs]. */
  readonly slices: readonly Slice[];
}

const NO_TIME = Object.fromEntries(TIME_CLASSES.map((timeClass) => [timeClass, 0])) as Record<
  TimeClass,
  number
>;

/** Explains [start, start + durationNs] by `pieces`. `durationNs` is a whole number, at least 0. */
export function breakDown(
  start: MonoNs,
  durationNs: number,
  pieces: readonly Piece[],
  timeline: Timeline,
  architecture: Architecture,
): Breakdown {
  const totals: Record<TimeClass, number> = { ...NO_TIME };
  const slices: Slice[] = [];
  let cursor = 0;
  const add = (
    to: MonoNs,
    timeClass: TimeClass,
    piece: Piece | undefined,
    wait: WaitRecord | undefined,
  ): void => {
    const end = Math.min(durationNs, Math.round(to - start));
    if (end <= cursor) return;
    totals[timeClass] += end - cursor;
    const last = slices.at(-1);
    if (last !== undefined && continues(last, timeClass, piece, wait)) last.to = end;
    else slices.push({ from: cursor, to: end, timeClass, piece, wait });
    cursor = end;
  };
  for (const { piece, from, to } of layOut(pieces, start, start + durationNs)) {
    add(from, 'unattributed', undefined, undefined);
    if (piece.as !== undefined) {
      add(to, piece.as.timeClass, piece, undefined);
      continue;
    }
    timeline.visit(piece.tgid, piece.tid, from, to, (_from, until, kind, wait) => {
      switch (kind) {
        case 'on':
          return add(until, 'cpu', piece, undefined);
        case 'runqueue':
          return add(until, 'runqueue', piece, wait);
        case 'blocked':
          return add(until, WAIT_CLASS[waitReason(wait!, architecture)], piece, wait);
        case 'unknown':
          return add(until, 'unattributed', undefined, undefined);
      }
    });
  }
  add(start + durationNs, 'unattributed', undefined, undefined);
  return { durationNs, totals, slices };
}

/** What to tell about a slice's wait; undefined for time on a CPU and for time that has none. */
export function detailOf(slice: Slice, architecture: Architecture): WaitDetail | undefined {
  return slice.wait === undefined || slice.timeClass === 'runqueue'
    ? undefined
    : waitDetail(slice.wait, architecture);
}

function continues(
  last: Slice,
  timeClass: TimeClass,
  piece: Piece | undefined,
  wait: WaitRecord | undefined,
): boolean {
  if (last.timeClass !== timeClass || last.wait !== undefined || wait !== undefined) return false;
  const before = last.piece;
  if (before === undefined || piece === undefined) return before === piece;
  return (
    before === piece ||
    (before.tid === piece.tid &&
      before.evidence === piece.evidence &&
      before.as?.reason === piece.as?.reason &&
      before.as?.peer?.address === piece.as?.peer?.address &&
      before.as?.peer?.port === piece.as?.peer?.port)
  );
}

interface Placed {
  readonly piece: Piece;
  readonly from: MonoNs;
  readonly to: MonoNs;
}

/** Clips pieces to [start, end] and takes from each what earlier ones have left; ordered by time. */
function layOut(pieces: readonly Piece[], start: MonoNs, end: MonoNs): Placed[] {
  const placed: Placed[] = [];
  for (const piece of pieces) {
    let from = Math.max(start, piece.from);
    const to = Math.min(end, piece.to);
    if (from < to && from >= (placed.at(-1)?.to ?? start)) {
      placed.push({ piece, from, to });
      continue;
    }
    const added: Placed[] = [];
    for (const taken of placed) {
      if (taken.to <= from || from >= to) continue;
      if (taken.from >= to) break;
      if (taken.from > from) added.push({ piece, from, to: taken.from });
      from = taken.to;
    }
    if (from < to) added.push({ piece, from, to });
    if (added.length === 0) continue;
    placed.push(...added);
    placed.sort((a, b) => a.from - b.from);
  }
  return placed;
}
