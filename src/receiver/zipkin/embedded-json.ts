/** Attributes and counts that the exporters of OpenTelemetry hide in texts of annotations and tags. */
import type { AttributeInput, AttributesInput } from '../../otlp/attribute-writer.js';
import { ZipkinError } from '../../zipkin/model.js';

export interface Embedded {
  readonly attributes: AttributesInput;
  readonly droppedAttributesCount: number;
}

/** `parts` are what lies between bars: JSON, which may hold bars itself, and the count. Throws `ZipkinError`. */
export function readEmbedded(parts: readonly string[]): Embedded {
  const attributes: Record<string, AttributeInput> = Object.create(null) as Record<string, AttributeInput>;
  for (const [key, value] of Object.entries(parseMap(parts.slice(0, -1).join('|')))) {
    if (typeof value === 'number') {
      attributes[key] = Number.isInteger(value) ? toInt64(value) : { double: value };
    } else if (typeof value === 'string' || typeof value === 'boolean') attributes[key] = value;
  }
  return { attributes, droppedAttributesCount: parseCount(parts.at(-1) ?? '') };
}

function parseMap(json: string): object {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new ZipkinError(
      json.trim() === ''
        ? 'unexpected end of JSON input'
        : `invalid character '${json.trim()[0]}' looking for beginning of value`,
    );
  }
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    throw new ZipkinError(`json: cannot unmarshal ${what} into Go value of type map[string]interface {}`);
  }
  return value;
}

const toInt64 = (value: number): AttributeInput =>
  Number.isSafeInteger(value) ? value : BigInt.asIntN(64, BigInt(value));

function parseCount(text: string): number {
  const quoted = JSON.stringify(text);
  if (!/^\d+$/.test(text)) throw new ZipkinError(`strconv.ParseUint: parsing ${quoted}: invalid syntax`);
  const count = Number(text);
  if (count > 0xffff_ffff) throw new ZipkinError(`strconv.ParseUint: parsing ${quoted}: value out of range`);
  return count;
}
