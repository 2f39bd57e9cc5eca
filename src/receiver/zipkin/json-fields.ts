/** Values of fields of a JSON object, with the sentences of Go's encoding/json when they are of another type. */
import { ZipkinError } from '../../zipkin/model.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export function parseJson(body: Uint8Array): unknown {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ZipkinError(syntaxError(text, error as Error));
  }
}

/** V8 says where, Go says which character. */
function syntaxError(text: string, { message }: Error): string {
  const position = /position (\d+)/.exec(message)?.[1];
  const char = position === undefined ? undefined : text[Number(position)];
  if (/Unexpected end|Unterminated/.test(message) || text.trim() === '')
    return 'unexpected end of JSON input';
  const first = char ?? text.trim()[0] ?? '';
  return `invalid character '${first}' looking for beginning of value`;
}

const nameOf = (value: unknown): string =>
  Array.isArray(value)
    ? 'array'
    : typeof value === 'boolean'
      ? 'bool'
      : typeof value === 'number'
        ? 'number'
        : typeof value;

const mismatch = (value: unknown, where: string, type: string): ZipkinError => {
  const what = typeof value === 'number' && type !== 'string' ? `number ${value}` : nameOf(value);
  return new ZipkinError(`json: cannot unmarshal ${what} into Go ${where} of type ${type}`);
};

/** `owner` and `key` only name the field in sentences. */
export function stringField(object: JsonObject, key: string, owner: string): string {
  const value = object[key];
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw mismatch(value, `struct field ${owner}.${key}`, 'string');
  return value;
}

/** A whole number from `min` to `max`; 0 when absent. */
export function intField(
  object: JsonObject,
  key: string,
  owner: string,
  type: string,
  min: number,
  max: number,
): number {
  const value = object[key];
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw mismatch(value, `struct field ${owner}.${key}`, type);
  }
  return value;
}

/** Fails when the field is there and neither true nor false. */
export function checkBool(object: JsonObject, key: string, owner: string): void {
  const value = object[key];
  if (value !== undefined && value !== null && typeof value !== 'boolean') {
    throw mismatch(value, `struct field ${owner}.${key}`, 'bool');
  }
}

export function objectField(
  object: JsonObject,
  key: string,
  owner: string,
  type: string,
): JsonObject | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  return asObject(value, `struct field ${owner}.${key}`, type);
}

export function arrayField(object: JsonObject, key: string, owner: string, type: string): readonly unknown[] {
  const value = object[key];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw mismatch(value, `struct field ${owner}.${key}`, type);
  return value;
}

export function asObject(value: unknown, where: string, type: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mismatch(value, where, type);
  return value as JsonObject;
}

export function asArray(value: unknown, type: string): readonly unknown[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw mismatch(value, 'value', type);
  return value;
}
