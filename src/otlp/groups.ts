/**
 * The nesting of a batch, for code that rearranges it: which items lie in which groups, and what else the groups hold.
 *
 * A group's header is everything in it but its children: the resource or scope, the schema URL and unknown fields. A
 * group that is cut in parts keeps its header in each part.
 */
import { field, WireReader } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

const FIRST = field.delimited(1);
const SECOND = field.delimited(2);

/** A message with children, or the whole request when `parent` is undefined. */
export interface Group {
  readonly bytes: Uint8Array;
  readonly parent: Group | undefined;
  /** Tag of this group's field within its parent. */
  readonly tag: number;
  /** Ranges of the header's fields, tags included: start, end, start, end, ... */
  readonly header: readonly number[];
  readonly headerBytes: number;
}

/** A child of the innermost kind of group. */
export interface Item {
  /** The field with its tag and length. */
  readonly fieldStart: number;
  /** The message. */
  readonly start: number;
  readonly end: number;
}

/** Calls `visit` for each item (span, metric, log record, profile) and the scope group it lies in. */
export function walkItems(bytes: Uint8Array, visit: (item: Item, scope: Group) => void): void {
  const request = readGroup(bytes, undefined, 0, 0, bytes.length, FIRST);
  forEachField(bytes, 0, bytes.length, FIRST, (resourceItem) => {
    const resource = readGroup(bytes, request, FIRST, resourceItem.start, resourceItem.end, SECOND);
    forEachField(bytes, resourceItem.start, resourceItem.end, SECOND, (scopeItem) => {
      const scope = readGroup(bytes, resource, SECOND, scopeItem.start, scopeItem.end, SECOND);
      forEachField(bytes, scopeItem.start, scopeItem.end, SECOND, (item) => visit(item, scope));
    });
  });
}

/** Calls `visit` for each field `tag` of the message `bytes[start, end)`. */
export function forEachField(
  bytes: Uint8Array,
  start: number,
  end: number,
  wanted: number,
  visit: (item: Item) => void,
): void {
  const reader = new WireReader(bytes, start, end);
  for (;;) {
    const fieldStart = reader.pos;
    const tag = reader.next();
    if (tag === 0) return;
    if (tag === wanted) visit({ fieldStart, start: reader.start, end: reader.pos });
  }
}

/** Finds the header of the message `bytes[start, end)`, whose children are its fields with `childTag`. */
export function readGroup(
  bytes: Uint8Array,
  parent: Group | undefined,
  tag: number,
  start: number,
  end: number,
  childTag: number,
): Group {
  const header: number[] = [];
  let headerBytes = 0;
  const reader = new WireReader(bytes, start, end);
  for (;;) {
    const at = reader.pos;
    const found = reader.next();
    if (found === 0) break;
    if (found === childTag) continue;
    headerBytes += reader.pos - at;
    if (header[header.length - 1] === at) header[header.length - 1] = reader.pos;
    else header.push(at, reader.pos);
  }
  return { bytes, parent, tag, header, headerBytes };
}

/** The header's bytes as a text, equal exactly when the bytes are: a key for a Map. */
export function headerKey(group: Group): string {
  let key = '';
  for (let index = 0; index < group.header.length; index += 2) {
    const start = group.header[index]!;
    const length = group.header[index + 1]! - start;
    key += Buffer.from(group.bytes.buffer, group.bytes.byteOffset + start, length).toString('latin1');
  }
  return key;
}

/** Length of a group's own length in most batches; also its share in `costOf`. */
const ROOM = 3;
/** Tag and the longest length. */
const GROUP_OVERHEAD = 6;

/** Builds a batch out of items of other batches, opening the groups they need. */
export class GroupWriter {
  readonly #writer: WireWriter;
  /** Open groups, outermost first, and the marks of their lengths. */
  readonly #open: Group[] = [];
  readonly #marks: number[] = [];
  #isEmpty = true;

  constructor(initialBytes = 4096) {
    this.#writer = new WireWriter(initialBytes);
  }

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** An upper bound for the size of the batch when an item of `itemBytes` in `group` is added. */
  sizeWith(group: Group, itemBytes: number): number {
    let size = this.#writer.pos + itemBytes + GROUP_OVERHEAD * this.#open.length;
    for (let one: Group | undefined = group; one !== undefined; one = one.parent) {
      if (!this.#open.includes(one)) size += one.headerBytes + GROUP_OVERHEAD;
    }
    return size;
  }

  /** Adds the bytes `[start, end)` (whole fields, tags included) as children of `group`. */
  add(group: Group, start: number, end: number): void {
    this.#enter(group);
    this.#copy(group.bytes, start, end);
    this.#isEmpty = false;
  }

  /** Adds a whole field (tag included) that lies elsewhere as a child of `group`. */
  addField(group: Group, bytes: Uint8Array): void {
    this.#enter(group);
    this.#writer.raw(bytes);
    this.#isEmpty = false;
  }

  /** The batch; the writer starts anew. */
  finish(): Uint8Array {
    this.#leaveTo(0);
    const bytes = this.#writer.finish();
    this.#writer.reset();
    this.#isEmpty = true;
    return bytes;
  }

  #enter(group: Group): void {
    if (this.#open[this.#open.length - 1] === group) return;
    const path: Group[] = [];
    for (let one: Group | undefined = group; one !== undefined; one = one.parent) path.unshift(one);
    let common = 0;
    while (common < path.length && this.#open[common] === path[common]) common++;
    this.#leaveTo(common);
    for (const one of path.slice(common)) {
      this.#marks.push(one.parent === undefined ? -1 : this.#writer.open(one.tag, ROOM));
      this.#open.push(one);
      for (let index = 0; index < one.header.length; index += 2) {
        this.#copy(one.bytes, one.header[index]!, one.header[index + 1]!);
      }
    }
  }

  #leaveTo(depth: number): void {
    while (this.#open.length > depth) {
      this.#open.pop();
      const mark = this.#marks.pop()!;
      if (mark >= 0) this.#writer.close(mark);
    }
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    this.#writer.raw(bytes.subarray(start, end));
  }
}
