import { asString } from '../../go/values.js';
import { kindName, readTypedValue, type TypedValue, writeTypedValue } from '../../otlp/typed-value.js';
import { field } from '../../otlp/wire-reader.js';
import { WireWriter } from '../../otlp/wire-writer.js';
import type { Access, Getter, OttlContext } from '../context.js';
import { valueAt, withValueAt } from '../keys.js';
import { expectGo, OttlError } from '../values.js';
import { attribute, attributeMap, enumeration, id, idText, int64, text, time, uint32 } from './fields.js';
import { lookUp, type PathParts, type PathResult } from './look-up.js';

const { delimited, fixed32, fixed64, varint } = field;
const BODY = delimited(5);
const ATTRIBUTES = delimited(6);

const log = (context: OttlContext) => context.item!;

export const logPath = (parts: PathParts): PathResult =>
  lookUp(parts, {
    time_unix_nano: int64(log, fixed64(1)),
    observed_time_unix_nano: int64(log, fixed64(11)),
    time: time(log, fixed64(1)),
    observed_time: time(log, fixed64(11)),
    severity_number: enumeration(log, varint(2)),
    severity_text: text(log, delimited(3)),
    body,
    'body.string': {
      get: (context) => asString(readBody(context)),
      set: (context, value) => writeBody(context, expectGo<string>(value, 'string')),
    },
    attributes: (keys) =>
      keys.length === 0 ? attributeMap(log, () => ATTRIBUTES) : attribute(log, () => ATTRIBUTES, keys),
    dropped_attributes_count: uint32(log, varint(7)),
    flags: uint32(log, fixed32(8)),
    trace_id: id(log, delimited(9), 16),
    'trace_id.string': idText(log, delimited(9), 16),
    span_id: id(log, delimited(10), 8),
    'span_id.string': idText(log, delimited(10), 8),
    event_name: text(log, delimited(12)),
  });

function readBody(context: OttlContext): TypedValue {
  const content = log(context).content(BODY);
  return readTypedValue(content, 0, content.length);
}

function writeBody(context: OttlContext, value: TypedValue): void {
  const writer = new WireWriter(64);
  writeTypedValue(writer, value);
  log(context).setContent(BODY, writer.finish());
}

function body(keys: readonly Getter[]): Access {
  const indexed = (value: TypedValue) => {
    if (keys.length > 0 && !(value instanceof Map) && !Array.isArray(value)) {
      throw new OttlError(`log bodies of type ${kindName(value)} cannot be indexed`);
    }
    return value;
  };
  return {
    get: (context) => valueAt(indexed(readBody(context)), keys, context),
    set: (context, value) => {
      writeBody(context, withValueAt(indexed(readBody(context)), keys, context, value));
    },
  };
}
