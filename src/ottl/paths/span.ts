import { field } from '../../otlp/wire-reader.js';
import type { Access, Getter, OttlContext } from '../context.js';
import { mapKey } from '../keys.js';
import { expectGo, OttlError } from '../values.js';
import {
  attribute,
  attributeMap,
  enumeration,
  id,
  idText,
  int64,
  type NodeOf,
  text,
  time,
  uint32,
} from './fields.js';
import { lookUp, type PathParts, type PathResult } from './look-up.js';
import { onePart, partList } from './parts.js';

const { delimited, fixed64, varint } = field;
const TRACE_STATE = delimited(3);
const KIND = varint(6);
const ATTRIBUTES = delimited(9);
const EVENTS = delimited(11);
const LINKS = delimited(13);
const STATUS = delimited(15);
const EVENT_ATTRIBUTES = delimited(3);

const STATUS_TYPE = 'ptrace.Status';

const KIND_WORDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];

const span = (context: OttlContext) => context.item!;
const status: NodeOf = ({ item }, edit) => (edit ? item!.child(STATUS) : item!.look(STATUS));
const event = (context: OttlContext) => context.part!;

export const spanPath = (parts: PathParts): PathResult =>
  lookUp(parts, {
    trace_id: id(span, delimited(1), 16),
    'trace_id.string': idText(span, delimited(1), 16),
    span_id: id(span, delimited(2), 8),
    'span_id.string': idText(span, delimited(2), 8),
    parent_span_id: id(span, delimited(4), 8),
    'parent_span_id.string': idText(span, delimited(4), 8),
    trace_state: (keys) => (keys.length === 0 ? text(span, TRACE_STATE) : traceStateEntry(keys)),
    name: text(span, delimited(5)),
    kind: enumeration(span, KIND),
    'kind.string': kindText((index) => KIND_WORDS[index], 'span kind string'),
    'kind.deprecated_string': kindText((index) => {
      const word = KIND_WORDS[index];
      return word === undefined ? undefined : `SPAN_KIND_${word.toUpperCase()}`;
    }, 'span kind deprecated string'),
    start_time_unix_nano: int64(span, fixed64(7)),
    end_time_unix_nano: int64(span, fixed64(8)),
    start_time: time(span, fixed64(7)),
    end_time: time(span, fixed64(8)),
    attributes: (keys) =>
      keys.length === 0 ? attributeMap(span, () => ATTRIBUTES) : attribute(span, () => ATTRIBUTES, keys),
    dropped_attributes_count: uint32(span, varint(10)),
    events: ownParts('ptrace.SpanEventSlice', EVENTS),
    dropped_events_count: uint32(span, varint(12)),
    links: ownParts('ptrace.SpanLinkSlice', LINKS),
    status: onePart(
      ({ item }) => ({ node: item!, tag: STATUS, goType: STATUS_TYPE }),
      STATUS_TYPE,
      () => '',
    ),
    dropped_links_count: uint32(span, varint(14)),
    'status.code': enumeration(status, varint(3)),
    'status.message': text(status, delimited(2)),
    flags: checkedUint32(uint32(span, field.fixed32(16))),
  });

export const spanEventPath = (parts: PathParts): PathResult =>
  lookUp(parts, {
    time_unix_nano: int64(event, fixed64(1)),
    time: time(event, fixed64(1)),
    name: text(event, delimited(2)),
    attributes: (keys) =>
      keys.length === 0
        ? attributeMap(event, () => EVENT_ATTRIBUTES)
        : attribute(event, () => EVENT_ATTRIBUTES, keys),
    dropped_attributes_count: uint32(event, varint(4)),
    event_index: {
      get: ({ item, part }) => BigInt(item!.children(EVENTS).indexOf(part!)),
      set: () => {
        throw new OttlError("the 'event_index' path cannot be modified");
      },
    },
  });

const ownParts = (goType: string, tag: number): Access =>
  partList(
    ({ item }) => ({ node: item!, tag, goType }),
    () => undefined,
  );

/** Refuses what does not fit. */
const checkedUint32 = (access: Access): Access => ({
  get: access.get,
  set: (context, value) => {
    if (typeof value === 'bigint' && BigInt.asUintN(32, value) !== value) {
      throw new OttlError(`value ${value} is out of range for uint32`);
    }
    access.set(context, value);
  },
});

const kindText = (nameOf: (index: number) => string | undefined, what: string): Access => ({
  get: (context) => nameOf(span(context).uint32(KIND)) ?? '',
  set: (context, value) => {
    const wanted = expectGo<string>(value, 'string');
    const index = KIND_WORDS.findIndex((_, at) => nameOf(at) === wanted);
    if (index < 0) throw new OttlError(`unknown ${what}, ${wanted}`);
    span(context).setInteger(KIND, BigInt(index));
  },
});

/** One entry of the W3C tracestate (`a=1,b=2`); setting puts it first, as the specification says. */
function traceStateEntry(keys: readonly Getter[]): Access {
  if (keys.length !== 1) throw new Error('must provide exactly 1 key when accessing trace_state');
  const key = keys[0]!;
  const entries = (context: OttlContext) =>
    span(context)
      .text(TRACE_STATE)
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
  const nameOf = (entry: string) => entry.split('=', 1)[0];
  return {
    get: (context) => {
      const name = mapKey(key, context);
      const entry = entries(context).find((one) => nameOf(one) === name);
      return entry === undefined ? '' : entry.slice(name.length + 1);
    },
    set: (context, value) => {
      const text = expectGo<string>(value, 'string');
      const name = mapKey(key, context);
      const others = entries(context).filter((one) => nameOf(one) !== name);
      span(context).setText(TRACE_STATE, [`${name}=${text}`, ...others].join(','));
    },
  };
}
