/**
 * A protobuf message that can be read in place and edited: what code with conditions and edits on any part of a batch
 * works with (resources, scopes, spans, events, metrics, data points, log records).
 *
 * A node begins as a range of bytes; reading scans them. The first edit, or the first look at nested messages that may be
 * edited, opens it: a list of its fields, still bytes, in their order. Edits replace single fields. Encoding copies
 * everything that was not edited, unknown fields included, and a tree without edits encodes to the very same bytes.
 *
 *     const request = new MessageNode(bytes);
 *     for (const group of request.children(field.delimited(1))) …
 *     if (request.isChanged) send(request.encode());
 *
 * Throws `MalformedError` when bytes that it looks at are broken. A node keeps its bytes and never writes into them.
 */
import { contentStart, fieldEnd, tagAt } from './field-end.js';
import { copyOf, readText } from './text.js';
import { doubleFrom, WireReader, WireType } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

/** One field of an open node: `bytes[from, end)` with its tag, value (or content) in `[start, end)`. */
export interface FieldSlot {
  readonly tag: number;
  bytes: Uint8Array;
  from: number;
  start: number;
  end: number;
  /** The field as a message, once it was asked for. Counts only while it is changed. */
  child: MessageNode | undefined;
}

const EMPTY = new Uint8Array(0);

export class MessageNode {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly #parent: MessageNode | undefined;
  #slots: FieldSlot[] | undefined;
  /** Messages that were asked for and are not there. They become fields once they are edited. */
  #absent: FieldSlot[] | undefined;
  #changed = false;
  /** What `look` found last. */
  #looked: { readonly tag: number; readonly node: MessageNode } | undefined;
  /** Where `#find` found the value. */
  #source: Uint8Array = EMPTY;
  #from = 0;
  #to = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length, parent?: MessageNode) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.#parent = parent;
  }

  /** True when this message or one in it was edited. */
  get isChanged(): boolean {
    return this.#changed;
  }

  /** True when `slots` must be used instead of the bytes. */
  get isOpen(): boolean {
    return this.#slots !== undefined;
  }

  /** The fields in order. Call `touch` after changing the list or a slot. */
  slots(): FieldSlot[] {
    this.#slots ??= readSlots(this.bytes, this.start, this.end);
    if (this.#absent !== undefined && this.#changed) this.#addEdited(this.#slots, this.#absent);
    return this.#slots;
  }

  /** Replaces the list of fields. */
  replaceSlots(slots: FieldSlot[]): void {
    this.#slots = slots;
    this.touch();
  }

  /** Notes that this message was edited. */
  touch(): void {
    for (
      let node: MessageNode | undefined = this;
      node !== undefined && !node.#changed;
      node = node.#parent
    ) {
      node.#changed = true;
    }
  }

  // Reading. Tags say number and wire type (`field.delimited(5)`); of a field that occurs twice the last one counts.

  has(tag: number): boolean {
    return this.isOpen ? this.#lastSlot(tag) !== undefined : this.#find(tag);
  }

  /** `''` when absent. */
  text(tag: number): string {
    return this.#find(tag) ? readText(this.#source, this.#from, this.#to) : '';
  }

  /** A copy; empty when absent. */
  content(tag: number): Uint8Array {
    return this.#find(tag) ? copyOf(this.#source, this.#from, this.#to) : EMPTY;
  }

  /** Unsigned 64 bits of a varint or fixed64 field, 0 when absent. */
  uint64(tag: number): bigint {
    const reader = this.#integer(tag);
    return reader === undefined ? 0n : (BigInt(reader.hi) << 32n) | BigInt(reader.lo);
  }

  /** The low 32 bits of an integer field of any wire type, unsigned, 0 when absent. */
  uint32(tag: number): number {
    return this.#integer(tag)?.lo ?? 0;
  }

  /** Undefined when absent. */
  double(tag: number): number | undefined {
    const reader = this.#integer(tag);
    return reader === undefined ? undefined : doubleFrom(reader.hi, reader.lo);
  }

  // Editing.

  setText(tag: number, text: string): void {
    this.#put(tag, (writer) => writer.string(text));
  }

  setContent(tag: number, content: Uint8Array): void {
    this.#put(tag, (writer) => writer.delimited(content));
  }

  /** Takes the low 64 (or 32, for a fixed32 field) bits. */
  setInteger(tag: number, value: bigint): void {
    const hi = Number((value >> 32n) & 0xffff_ffffn);
    const lo = Number(value & 0xffff_ffffn);
    this.#put(tag, (writer) => {
      if ((tag & 7) === WireType.varint) writer.varint64(hi, lo);
      else if ((tag & 7) === WireType.fixed64) writer.fixed64(hi, lo);
      else writer.fixed32(lo);
    });
  }

  setDouble(tag: number, value: number): void {
    this.#put(tag, (writer) => writer.double(value));
  }

  /** Removes every field with `tag`. False when there was none. */
  remove(tag: number): boolean {
    if (!this.has(tag)) return false;
    this.replaceSlots(this.slots().filter((slot) => slot.tag !== tag));
    return true;
  }

  /** Adds a field at the end. `write` writes it with its tag. */
  append(tag: number, write: (writer: WireWriter) => void): void {
    this.slots().push(newSlot(tag, write));
    this.#forgetAbsent(tag);
    this.touch();
  }

  // Nested messages.

  /** The message in the single field `tag`. Where there is none, an empty one that appears when it is edited. */
  child(tag: number): MessageNode {
    const found = this.slots().filter((slot) => slot.tag === tag);
    const [first] = found;
    if (first === undefined) {
      this.#absent ??= [];
      let slot = this.#absent.find((one) => one.tag === tag);
      if (slot === undefined) {
        slot = { tag, bytes: EMPTY, from: 0, start: 0, end: 0, child: undefined };
        this.#absent.push(slot);
      }
      return this.#childOf(slot);
    }
    if (found.length > 1) {
      // Parts of one message add up to it; keep them together from now on. Not an edit: nothing has changed.
      const whole = Buffer.concat(found.map((slot) => slot.bytes.subarray(slot.start, slot.end)));
      Object.assign(
        first,
        newSlot(tag, (writer) => {
          writer.varint(tag);
          writer.delimited(whole);
        }),
      );
      this.#slots = this.slots().filter((slot) => slot === first || slot.tag !== tag);
    }
    return this.#childOf(first);
  }

  /**
   * The message in the single field `tag`, to be read and not to be edited: unlike `child`, this leaves the node closed, so
   * it is cheap to look at a message that nobody edits.
   */
  look(tag: number): MessageNode {
    if (this.#slots !== undefined) return this.child(tag);
    if (this.#looked?.tag === tag) return this.#looked.node;
    const { bytes, end } = this;
    let found = -1;
    let foundEnd = 0;
    let next = 0;
    for (let at = this.start; at < end; at = next) {
      next = fieldEnd(bytes, at, end);
      const first = bytes[at]!;
      if ((first < 0x80 ? first : tagAt(bytes, at, end)) !== tag) continue;
      if (found >= 0) return this.child(tag);
      found = at;
      foundEnd = next;
    }
    const node =
      found < 0 ? new MessageNode(EMPTY) : new MessageNode(bytes, contentStart(bytes, found), foundEnd);
    this.#looked = { tag, node };
    return node;
  }

  /** The messages in the repeated field `tag`, in order. The same objects every time. */
  children(tag: number): MessageNode[] {
    const nodes: MessageNode[] = [];
    for (const slot of this.slots()) if (slot.tag === tag) nodes.push(this.#childOf(slot));
    return nodes;
  }

  /** Keeps those messages in the repeated field `tag` for which `keep` is true. Gives how many are left. */
  retain(tag: number, keep: (node: MessageNode) => boolean): number {
    let kept = 0;
    const slots = this.slots();
    const left = slots.filter((slot) => {
      if (slot.tag !== tag) return true;
      const isKept = keep(this.#childOf(slot));
      if (isKept) kept++;
      return isKept;
    });
    if (left.length !== slots.length) this.replaceSlots(left);
    return kept;
  }

  // Encoding.

  /** The message's bytes: a view of the original ones when nothing was edited. */
  encode(): Uint8Array {
    if (!this.#changed) {
      return this.start === 0 && this.end === this.bytes.length
        ? this.bytes
        : this.bytes.subarray(this.start, this.end);
    }
    const writer = new WireWriter(this.end - this.start + 256);
    this.#write(writer);
    return writer.bytes.subarray(0, writer.pos);
  }

  #write(writer: WireWriter): void {
    if (!this.#changed) {
      writer.raw(this.bytes.subarray(this.start, this.end));
      return;
    }
    // Fields that lie side by side go in one copy.
    let bytes: Uint8Array = EMPTY;
    let from = 0;
    let to = 0;
    for (const slot of this.slots()) {
      if (slot.child?.isChanged === true) {
        if (to > from) writer.raw(bytes.subarray(from, to));
        from = to = 0;
        const mark = writer.open(slot.tag, slot.end - slot.start < 100 ? 1 : 2);
        slot.child.#write(writer);
        writer.close(mark);
      } else if (slot.bytes === bytes && slot.from === to) to = slot.end;
      else {
        if (to > from) writer.raw(bytes.subarray(from, to));
        ({ bytes, from } = slot);
        to = slot.end;
      }
    }
    if (to > from) writer.raw(bytes.subarray(from, to));
  }

  /** The field is there now; edits of the message that stood for it no longer count. */
  #forgetAbsent(tag: number): void {
    this.#absent = this.#absent?.filter((slot) => slot.tag !== tag);
  }

  #childOf(slot: FieldSlot): MessageNode {
    slot.child ??= new MessageNode(slot.bytes, slot.start, slot.end, this);
    return slot.child;
  }

  #find(tag: number): boolean {
    if (this.#slots !== undefined) return this.#findSlot(tag);
    const { bytes, end } = this;
    let found = -1;
    let next = 0;
    for (let at = this.start; at < end; at = next) {
      next = fieldEnd(bytes, at, end);
      const first = bytes[at]!;
      if ((first < 0x80 ? first : tagAt(bytes, at, end)) !== tag) continue;
      found = at;
      this.#to = next;
    }
    if (found < 0) return false;
    this.#source = bytes;
    this.#from = (tag & 7) === WireType.delimited ? contentStart(bytes, found) : afterTag(bytes, found);
    return true;
  }

  #findSlot(tag: number): boolean {
    const slot = this.#lastSlot(tag);
    if (slot === undefined) return false;
    if (slot.child?.isChanged === true) {
      this.#source = slot.child.encode();
      this.#from = 0;
      this.#to = this.#source.length;
      return true;
    }
    this.#source = slot.bytes;
    this.#from = slot.start;
    this.#to = slot.end;
    return true;
  }

  #lastSlot(tag: number): FieldSlot | undefined {
    return this.slots().findLast((one) => one.tag === tag);
  }

  #addEdited(slots: FieldSlot[], absent: FieldSlot[]): void {
    const edited = absent.filter(({ child }) => child?.isChanged);
    if (edited.length === 0) return;
    slots.push(...edited);
    this.#absent = absent.filter((slot) => !edited.includes(slot));
  }

  #integer(tag: number): WireReader | undefined {
    if (!this.#find(tag)) return undefined;
    const reader = new WireReader(this.#source, this.#from, this.#to);
    reader.pointAt(this.#from, this.#to);
    reader.hi = 0;
    if ((tag & 7) === WireType.varint) reader.varint();
    else if ((tag & 7) === WireType.fixed64) reader.fixed64();
    else reader.lo = reader.fixed32();
    return reader;
  }

  #put(tag: number, writeValue: (writer: WireWriter) => void): void {
    const fresh = newSlot(tag, (writer) => {
      writer.varint(tag);
      writeValue(writer);
    });
    const slots = this.slots();
    this.#forgetAbsent(tag);
    const last = slots.findLastIndex((slot) => slot.tag === tag);
    if (last < 0) slots.push(fresh);
    else slots[last] = fresh;
    this.touch();
  }
}

function readSlots(bytes: Uint8Array, start: number, end: number): FieldSlot[] {
  const slots: FieldSlot[] = [];
  const reader = new WireReader(bytes, start, end);
  for (let from = start, tag = reader.next(); tag !== 0; from = reader.pos, tag = reader.next()) {
    slots.push({ tag, bytes, from, start: reader.start, end: reader.pos, child: undefined });
  }
  return slots;
}

/** A field with bytes of its own. `write` writes it with its tag. */
export function newSlot(tag: number, write: (writer: WireWriter) => void): FieldSlot {
  const writer = new WireWriter(64);
  write(writer);
  const bytes = writer.finish();
  const reader = new WireReader(bytes);
  reader.next();
  return { tag, bytes, from: 0, start: reader.start, end: bytes.length, child: undefined };
}

function afterTag(bytes: Uint8Array, at: number): number {
  let pos = at;
  while (bytes[pos]! >= 0x80) pos++;
  return pos + 1;
}
