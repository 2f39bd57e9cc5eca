/**
 * Edits of encoded traces that append: a protobuf message is extended by adding fields at its end, so nothing that is
 * there has to be understood or copied apart. Bytes that are not edited, unknown fields included, stay as they are.
 */
import type { AttributesInput } from './attribute-writer.js';
import { writeAttributes } from './attribute-writer.js';
import { type Field, Splice } from './splice.js';
import { WireReader, WireType } from './wire-reader.js';
import { field, WireWriter } from './wire-writer.js';

const FIRST = (1 << 3) | WireType.delimited;
const CHILDREN = (2 << 3) | WireType.delimited;

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
  for (let tag = outer.tag(); tag !== 0 && next < offsets.length; tag = outer.tag()) {
    const group = readField(outer, tag);
    if (tag !== FIRST || offsets[next]! >= outer.pos) continue;
    const groupTicket = splice.openField(group);
    let groupGrowth = 0;
    middle.reset(bytes, group.start, group.end);
    for (let child = middle.tag(); child !== 0 && next < offsets.length; child = middle.tag()) {
      const scope = readField(middle, child);
      if (child !== CHILDREN || offsets[next]! >= middle.pos) continue;
      const scopeTicket = splice.openField(scope);
      let scopeGrowth = 0;
      inner.reset(bytes, scope.start, scope.end);
      for (let item = inner.tag(); item !== 0 && next < offsets.length; item = inner.tag()) {
        const lengthAt = inner.pos;
        inner.skip(item);
        if (item !== CHILDREN || inner.start !== offsets[next]) continue;
        const data = edits.get(inner.start)!;
        next++;
        const ticket = splice.openField({ lengthAt, start: inner.start, end: inner.pos });
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
  for (let tag = outer.tag(); tag !== 0 && next < offsets.length; tag = outer.tag()) {
    const group = readField(outer, tag);
    if (tag !== FIRST || group.start !== offsets[next]) continue;
    const data = edits.get(group.start)!;
    next++;
    const ticket = splice.openField(group);
    const resource = findLast(bytes, group, FIRST);
    let groupGrowth: number;
    if (resource === undefined) {
      const writer = new WireWriter(data.length + 8);
      writer.bytesField(FIRST, data);
      const whole = writer.finish();
      splice.insert(group.start, whole);
      groupGrowth = whole.length;
    } else {
      const resourceTicket = splice.openField(resource);
      splice.insert(resource.end, data);
      groupGrowth = splice.closeField(resourceTicket, data.length);
    }
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

/** Steps over a field of any type. For a length-delimited one the result is where it lies. */
function readField(reader: WireReader, tag: number): Field {
  const lengthAt = reader.pos;
  reader.skip(tag);
  return { lengthAt, start: reader.start, end: reader.pos };
}

function findLast(bytes: Uint8Array, within: Field, wanted: number): Field | undefined {
  const reader = new WireReader(bytes, within.start, within.end);
  let found: Field | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const one = readField(reader, tag);
    if (tag === wanted) found = one;
  }
  return found;
}
