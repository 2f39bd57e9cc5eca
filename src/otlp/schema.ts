/**
 * How messages are described for the code that treats all of them alike: OTLP/JSON, validation, full decoding. The
 * hot paths (views, writers, edits) have their field numbers built in instead.
 */
import { WireType } from './wire-reader.js';

export type ScalarType =
  | 'string'
  | 'bytes'
  | 'traceId'
  | 'spanId'
  | 'profileId'
  | 'bool'
  | 'int32'
  | 'uint32'
  | 'sint32'
  | 'int64'
  | 'uint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed64'
  | 'double'
  | 'enum';

/**
 * When a field is written although it has the default value: never (`implicit`), when it was set (`explicit`: members
 * of a oneof and `optional` fields), or in JSON always (`always`: messages that the Collector prints even if empty).
 */
export type Presence = 'implicit' | 'explicit' | 'always';

export interface FieldDef {
  readonly number: number;
  /** lowerCamelCase, as in OTLP/JSON. */
  readonly name: string;
  /** As in the .proto file. */
  readonly protoName: string;
  readonly type: ScalarType | 'message';
  readonly repeated: boolean;
  /** Wire type of one value. A repeated scalar may also come packed, as `delimited`. */
  readonly wireType: number;
  readonly packed: boolean;
  readonly presence: Presence;
  /** Fields of one message with the same non-zero number exclude each other; the last one wins. */
  readonly oneof: number;
  /** Filled in by `linkMessages`. */
  message: MessageDef | undefined;
  readonly resolve: (() => MessageDef) | undefined;
  readonly enumNumbers: Readonly<Record<string, number>> | undefined;
  /** Length of an id in bytes, or 0 for other types. */
  readonly idBytes: number;
  /** Position in `MessageDef.fields`. */
  readonly index: number;
}

export interface MessageDef {
  readonly name: string;
  readonly fields: readonly FieldDef[];
  /** Indexed by field number. */
  readonly byNumber: readonly (FieldDef | undefined)[];
  /** By lowerCamelCase name and by the .proto file's. */
  readonly byName: ReadonlyMap<string, FieldDef>;
  /** Batches are measured in these: Span, LogRecord, data points, Sample. */
  readonly isItem: boolean;
}

interface Options {
  readonly presence?: Presence;
  readonly oneof?: number;
  readonly repeated?: boolean;
}

/** What `defineMessage` is given for each field. */
export interface FieldSpec extends Options {
  readonly number: number;
  readonly name: string;
  readonly type: ScalarType | 'message';
  /** A function, since AnyValue contains itself. */
  readonly message?: (() => MessageDef) | undefined;
  readonly enumNumbers?: Readonly<Record<string, number>> | undefined;
}

export const scalar = (number: number, name: string, type: ScalarType, options: Options = {}): FieldSpec => ({
  number,
  name,
  type,
  ...options,
});

export const enumeration = (
  number: number,
  name: string,
  enumNumbers: Readonly<Record<string, number>>,
): FieldSpec => ({ number, name, type: 'enum', enumNumbers });

export const message = (
  number: number,
  name: string,
  of: () => MessageDef,
  options: Options = {},
): FieldSpec => ({ number, name, type: 'message', message: of, ...options });

/** A repeated message field. */
export const list = (number: number, name: string, of: () => MessageDef): FieldSpec =>
  message(number, name, of, { repeated: true });

const WIRE_TYPES: Readonly<Record<ScalarType | 'message', number>> = {
  string: WireType.delimited,
  bytes: WireType.delimited,
  traceId: WireType.delimited,
  spanId: WireType.delimited,
  profileId: WireType.delimited,
  bool: WireType.varint,
  int32: WireType.varint,
  uint32: WireType.varint,
  sint32: WireType.varint,
  int64: WireType.varint,
  uint64: WireType.varint,
  fixed32: WireType.fixed32,
  fixed64: WireType.fixed64,
  sfixed64: WireType.fixed64,
  double: WireType.fixed64,
  enum: WireType.varint,
  message: WireType.delimited,
};

export function defineMessage(
  name: string,
  specs: readonly FieldSpec[],
  options: { isItem?: boolean } = {},
): MessageDef {
  const fields = specs.map((spec, index) => defineField(spec, index));
  const byNumber: (FieldDef | undefined)[] = [];
  const byName = new Map<string, FieldDef>();
  for (let number = 0; number <= Math.max(...fields.map((one) => one.number)); number++) {
    byNumber.push(fields.find((one) => one.number === number));
  }
  for (const one of fields) byName.set(one.protoName, one).set(one.name, one);
  return { name, fields, byNumber, byName, isItem: options.isItem ?? false };
}

function defineField(spec: FieldSpec, index: number): FieldDef {
  const oneof = spec.oneof ?? 0;
  const wireType = WIRE_TYPES[spec.type];
  const repeated = spec.repeated ?? false;
  return {
    number: spec.number,
    name: spec.name,
    protoName: spec.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    type: spec.type,
    repeated,
    wireType,
    packed: repeated && wireType !== WireType.delimited,
    presence: spec.presence ?? (oneof > 0 ? 'explicit' : 'implicit'),
    oneof,
    message: undefined,
    resolve: spec.message,
    enumNumbers: spec.enumNumbers,
    idBytes: idBytes(spec.type),
    index,
  };
}

function idBytes(type: ScalarType | 'message'): number {
  if (type === 'traceId' || type === 'profileId') return 16;
  return type === 'spanId' ? 8 : 0;
}

/** Fills in `FieldDef.message` of `root` and everything below it, once all definitions exist. */
export function linkMessages(root: MessageDef): void {
  for (const one of root.fields) {
    if (one.resolve === undefined || one.message !== undefined) continue;
    one.message = one.resolve();
    linkMessages(one.message);
  }
}
