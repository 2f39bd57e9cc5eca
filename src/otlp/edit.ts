/**
 * Edits of encoded traces that append: a protobuf message is extended by adding fields at its end, so nothing that is
 * there has to be understood or copied apart. Bytes that are not edited, unknown fields included, stay as they are.
 */
import type { AttributesInput } from './attribute-writer.js';
import { writeAttributes } from './attribute-writer.js';
import { Splice } from './splice.js';
import { field, WireReader } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

const FIRST = field.delimited(1);
const CHILDREN = field.delimited(2);

/**
 * Appends encoded fields to spans of an `ExportTraceServiceRequest`. Works for log records as well.
 *
 * `edits` maps the offset of a Span message in `bytes` (`SpanView.start`) to what is added at its end (made by
 * `encodeSpanFields`). Repeated fields (attributes, events, links) are appended, for single ones (dropped counts, name)
 * the appended value wins. Gives `bytes` itself when there is nothing to do, a new array otherwise.
 *
 * Throws `RangeError` when an offset is not that of a span, `MalformedError` when the structure is broken.
 */
export function appendToSpans(bytes: Uint8Array, edits: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const offsets = sortedOffsets(edits);
  if (offsets.length === 0) return bytes;
  const splice = new Splice();
  const outer = new WireReader(bytes);
  const middle = new WireReader();
  const inner = new WireReader();
  let next = 0;
  let growth = 0;
  while (next < offsets.length) {
    const groupAt = outer.pos;
    const tag = outer.next();
    if (tag === 0) break;
    if (tag !== FIRST || offsets[next]! >= outer.pos) continue;
    const groupTicket = splice.openField(bytes, groupAt, outer.start, outer.pos);
    let groupGrowth = 0;
    middle.reset(bytes, outer.start, outer.pos);
    while (next < offsets.length) {
      const scopeAt = middle.pos;
      const child = middle.next();
      if (child === 0) break;
      if (child !== CHILDREN || offsets[next]! >= middle.pos) continue;
      const scopeTicket = splice.openField(bytes, scopeAt, middle.start, middle.pos);
      let scopeGrowth = 0;
      inner.reset(bytes, middle.start, middle.pos);
      while (next < offsets.length) {
        const itemAt = inner.pos;
        const item = inner.next();
        if (item === 0) break;
        if (item !== CHILDREN || inner.start !== offsets[next]) continue;
        const data = edits.get(inner.start)!;
        next++;
        const ticket = splice.openField(bytes, itemAt, inner.start, inner.pos);
        splice.insert(inner.pos, data);
        scopeGrowth += splice.closeField(ticket, data.length);
      }
      groupGrowth += splice.closeField(scopeTicket, scopeGrowth);
    }
    growth += splice.closeField(groupTicket, groupGrowth);
  }
  if (next < offsets.length) throw new RangeError(`No span begins at offset ${offsets[next]}.`);
  return splice.apply(bytes, growth);
}

/**
 * Appends encoded fields to resources, of any signal.
 *
 * `edits` maps `ResourceView.start` to what is added to the Resource message (made by `encodeResourceFields`). A group
 * without a Resource gets one. Errors and result are those of `appendToSpans`.
 */
export function appendToResources(bytes: Uint8Array, edits: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const offsets = sortedOffsets(edits);
  if (offsets.length === 0) return bytes;
  const splice = new Splice();
  const outer = new WireReader(bytes);
  let next = 0;
  let growth = 0;
  while (next < offsets.length) {
    const groupAt = outer.pos;
    const tag = outer.next();
    if (tag === 0) break;
    if (tag !== FIRST || outer.start !== offsets[next]) continue;
    const data = edits.get(outer.start)!;
    next++;
    const ticket = splice.openField(bytes, groupAt, outer.start, outer.pos);
    const groupGrowth = appendToResource(splice, bytes, outer.start, outer.pos, data);
    growth += splice.closeField(ticket, groupGrowth);
  }
  if (next < offsets.length) throw new RangeError(`No resource group begins at offset ${offsets[next]}.`);
  return splice.apply(bytes, growth);
}

/** Encodes what `appendToResources` adds. */
export function encodeResourceFields(attributes: AttributesInput): Uint8Array {
  const writer = new WireWriter(256);
  writeAttributes(writer, field.delimited(1), attributes);
  return writer.finish();
}

function sortedOffsets(edits: ReadonlyMap<number, Uint8Array>): number[] {
  const offsets: number[] = [];
  let isSorted = true;
  for (const offset of edits.keys()) {
    if (offsets.length > 0 && offset < offsets[offsets.length - 1]!) isSorted = false;
    offsets.push(offset);
  }
  return isSorted ? offsets : offsets.sort((a, b) => a - b);
}

/** Extends the last Resource of the group `bytes[start, end)`, or gives it one. The result is the group's growth. */
function appendToResource(
  splice: Splice,
  bytes: Uint8Array,
  start: number,
  end: number,
  data: Uint8Array,
): number {
  const last = new WireReader();
  const reader = new WireReader(bytes, start, end);
  let fieldAt = -1;
  for (let at = start, tag = reader.next(); tag !== 0; at = reader.pos, tag = reader.next()) {
    if (tag !== FIRST) continue;
    fieldAt = at;
    last.reset(bytes, reader.start, reader.pos);
  }
  if (fieldAt < 0) {
    const writer = new WireWriter(data.length + 8);
    writer.bytesField(FIRST, data);
    const whole = writer.finish();
    splice.insert(start, whole);
    return whole.length;
  }
  const ticket = splice.openField(bytes, fieldAt, last.pos, last.end);
  splice.insert(last.end, data);
  return splice.closeField(ticket, data.length);
}
