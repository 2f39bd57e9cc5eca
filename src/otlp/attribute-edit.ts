/**
 * Attributes of a message that may be edited (message-node.ts). `tag` is the attribute field of that message: 1 of a
 * Resource, 3 of a scope, 9 of a span, 3 of an event, 7 of a number's data point, 6 of a log record, …
 *
 * When a key occurs twice, the last one is the attribute; setting or deleting it does away with all of them.
 */
import { keyBytes } from './any-value.js';
import { contentStart, fieldEnd, tagAt } from './field-end.js';
import { type FieldSlot, type MessageNode, newSlot } from './message-node.js';
import { readKeyText } from './text.js';
import { readEntries, readEntry, readTypedValue, type TypedValue, writeEntry } from './typed-value.js';
import { field, WireReader } from './wire-reader.js';

const KEY = field.delimited(1);
const VALUE = field.delimited(2);

/** Undefined when the key does not occur; other attributes are not decoded. */
export function getAttribute(node: MessageNode, tag: number, key: string): TypedValue | undefined {
  const wanted = keyBytes(key);
  if (node.isOpen) {
    const slot = node
      .slots()
      .findLast((one) => one.tag === tag && hasKey(one.bytes, one.start, one.end, wanted));
    return slot === undefined ? undefined : readValue(slot.bytes, slot.start, slot.end);
  }
  const { bytes, end } = node;
  let found: TypedValue | undefined;
  let next = 0;
  for (let at = node.start; at < end; at = next) {
    next = fieldEnd(bytes, at, end);
    const first = bytes[at]!;
    if ((first < 0x80 ? first : tagAt(bytes, at, end)) !== tag) continue;
    const start = contentStart(bytes, at);
    if (hasKey(bytes, start, next, wanted)) found = readValue(bytes, start, next);
  }
  return found;
}

/** All attributes in order. The map is the caller's: changing it changes nothing here. */
export function getAttributes(node: MessageNode, tag: number): Map<string, TypedValue> {
  const attributes = new Map<string, TypedValue>();
  if (!node.isOpen) readEntries(node.bytes, node.start, node.end, tag, attributes);
  else {
    for (const slot of node.slots()) {
      if (slot.tag === tag) readEntry(slot.bytes, slot.start, slot.end, attributes);
    }
  }
  return attributes;
}

/** Adds the attribute, or replaces it where it stands. */
export function setAttribute(node: MessageNode, tag: number, key: string, value: TypedValue): void {
  const wanted = keyBytes(key);
  const fresh = newSlot(tag, (writer) => writeEntry(writer, tag, key, value));
  const slots = node.slots();
  const isKey = (slot: FieldSlot) => slot.tag === tag && hasKey(slot.bytes, slot.start, slot.end, wanted);
  const first = slots.findIndex(isKey);
  if (first < 0) {
    // Beside the other attributes, so that messages keep the order that encoders write.
    const last = slots.findLastIndex((slot) => slot.tag === tag);
    slots.splice(last < 0 ? slots.length : last + 1, 0, fresh);
  } else {
    slots[first] = fresh;
    for (let index = slots.length - 1; index > first; index--) {
      if (isKey(slots[index]!)) slots.splice(index, 1);
    }
  }
  node.touch();
}

/** False when the key did not occur. */
export function deleteAttribute(node: MessageNode, tag: number, key: string): boolean {
  const wanted = keyBytes(key);
  return removeSlots(node, tag, (bytes, start, end) => hasKey(bytes, start, end, wanted)) > 0;
}

/** Removes the attributes whose key `keep` refuses. Gives how many that were. */
export function retainAttributes(node: MessageNode, tag: number, keep: (key: string) => boolean): number {
  return removeSlots(node, tag, (bytes, start, end) => !keep(keyOf(bytes, start, end)));
}

/** Puts `attributes` in the place of all there are. */
export function replaceAttributes(
  node: MessageNode,
  tag: number,
  attributes: ReadonlyMap<string, TypedValue>,
): void {
  const slots = node.slots();
  const at = slots.findIndex((slot) => slot.tag === tag);
  const others = slots.filter((slot) => slot.tag !== tag);
  const fresh = Array.from(attributes, ([key, value]) =>
    newSlot(tag, (writer) => writeEntry(writer, tag, key, value)),
  );
  // Everything before the first attribute is no attribute, so its index is the same among the others.
  others.splice(at < 0 ? others.length : at, 0, ...fresh);
  node.replaceSlots(others);
}

function removeSlots(
  node: MessageNode,
  tag: number,
  isRemoved: (bytes: Uint8Array, start: number, end: number) => boolean,
): number {
  const slots = node.slots();
  const left = slots.filter((slot) => slot.tag !== tag || !isRemoved(slot.bytes, slot.start, slot.end));
  const removed = slots.length - left.length;
  if (removed > 0) node.replaceSlots(left);
  return removed;
}

/** Whether the KeyValue `bytes[start, end)` has this key. */
function hasKey(bytes: Uint8Array, start: number, end: number, key: Uint8Array): boolean {
  // `0a KEYLENGTH key 12 …`, as every encoder writes it.
  if (end - start > 2 && bytes[start] === KEY && bytes[start + 1]! < 0x80) {
    const length = bytes[start + 1]!;
    if (start + 2 + length < end && bytes[start + 2 + length] === VALUE) {
      return length === key.length && startsWith(bytes, start + 2, key);
    }
  }
  const reader = new WireReader(bytes, start, end);
  let matches = key.length === 0;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === KEY) {
      matches = reader.pos - reader.start === key.length && startsWith(bytes, reader.start, key);
    }
  }
  return matches;
}

function startsWith(bytes: Uint8Array, at: number, key: Uint8Array): boolean {
  for (let index = 0; index < key.length; index++) if (bytes[at + index] !== key[index]) return false;
  return true;
}

function keyOf(bytes: Uint8Array, start: number, end: number): string {
  const reader = new WireReader(bytes, start, end);
  let key = '';
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === KEY) key = readKeyText(bytes, reader.start, reader.pos);
  }
  return key;
}

function readValue(bytes: Uint8Array, start: number, end: number): TypedValue {
  // `0a KEYLENGTH key 12 VALUELENGTH value`, as every encoder writes it.
  const valueAt = start + 2 + (end - start > 2 ? bytes[start + 1]! : 0);
  if (bytes[start] === KEY && valueAt + 2 <= end && bytes[start + 1]! < 0x80 && bytes[valueAt] === VALUE) {
    if (bytes[valueAt + 1]! < 0x80 && valueAt + 2 + bytes[valueAt + 1]! === end) {
      return readTypedValue(bytes, valueAt + 2, end);
    }
  }
  const reader = new WireReader(bytes, start, end);
  let value: TypedValue = null;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === VALUE) value = readTypedValue(bytes, reader.start, reader.pos);
  }
  return value;
}
