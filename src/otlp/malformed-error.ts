/**
 * Bytes that are not the protobuf message they are said to be.
 *
 * `message` uses the sentences of the OpenTelemetry Collector (pdata 1.65, `internal/proto/unmarshal.go`), because
 * clients see it in the answer to their request and people search for it.
 */
export type MalformedCode =
  /** The message ends inside a field. */
  | 'ERR_OTLP_TRUNCATED'
  /** A varint longer than ten bytes. */
  | 'ERR_OTLP_VARINT'
  /** A length of 2^63 or more. */
  | 'ERR_OTLP_LENGTH'
  /** Field number 0 or above 2^29 - 1. */
  | 'ERR_OTLP_TAG'
  /** A wire type that does not exist, or not the one of this field. */
  | 'ERR_OTLP_WIRE_TYPE'
  /** End of a group that was never opened. */
  | 'ERR_OTLP_GROUP'
  /** A trace, span or profile id of the wrong length. */
  | 'ERR_OTLP_ID_LENGTH'
  /** Values nested deeper than `MAX_VALUE_DEPTH`. */
  | 'ERR_OTLP_DEPTH';

/** The batch can never be read: refuse or drop it, and count it. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
  readonly code: MalformedCode;
  /** Where in the bytes reading stopped. */
  readonly offset: number;

  constructor(code: MalformedCode, message: string, offset: number) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}

/**
 * Deepest nesting of attribute values (arrays and maps in each other) that is read. The limit keeps hostile input from
 * exhausting the stack; protobuf implementations stop at 100 messages, which is about 33 levels of maps.
 */
export const MAX_VALUE_DEPTH = 100;
