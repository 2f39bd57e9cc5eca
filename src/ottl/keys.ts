/** Indexing: `["k"]`, `[0]`, `[Concat(…)]` on maps and lists, as deep as one likes. */
import { kindName, type TypedValue } from '../otlp/typed-value.js';
import type { Getter, OttlContext } from './context.js';
import { OttlError, type OttlValue, toTyped, typeName } from './values.js';

/** Longest list that setting an index makes where there was none. */
const MAX_NEW_LIST = 10_000n;

/** The first key, which must be a text: attributes and maps. */
export function mapKey(key: Getter, context: OttlContext): string {
  const value = key(context);
  if (typeof value === 'string') return value;
  throw new OttlError(
    `unable to resolve a string index in map: could not resolve key for map/slice, expecting 'string' but got '${typeName(value)}'`,
  );
}

/** The value in `value` at `keys`; null when a map does not have the key. */
export function valueAt(value: TypedValue, keys: readonly Getter[], context: OttlContext): TypedValue {
  let current = value;
  for (const key of keys) {
    if (current instanceof Map) {
      const found = current.get(mapKey(key, context));
      if (found === undefined) return null;
      current = found;
    } else if (Array.isArray(current)) current = current[listIndex(key, context, current)]!;
    else throw new OttlError(`type ${kindName(current)} does not support string indexing`);
  }
  return current;
}

/** `value` with `replacement` at `keys`. Maps and lists on the way are changed in place, or made where nothing is. */
export function withValueAt(
  value: TypedValue,
  keys: readonly Getter[],
  context: OttlContext,
  replacement: OttlValue,
): TypedValue {
  const [key, ...rest] = keys;
  if (key === undefined) return toTyped(replacement, value);
  if (value instanceof Map) {
    const name = mapKey(key, context);
    value.set(name, withValueAt(value.get(name) ?? null, rest, context, replacement));
    return value;
  }
  if (Array.isArray(value)) {
    const index = listIndex(key, context, value);
    value[index] = withValueAt(value[index]!, rest, context, replacement);
    return value;
  }
  if (value !== null) throw new OttlError(`type ${kindName(value)} does not support string indexing`);
  const name = key(context);
  const inner = () => withValueAt(null, rest, context, replacement);
  if (typeof name === 'string') return new Map([[name, inner()]]);
  if (typeof name === 'bigint' && name >= 0n && name < MAX_NEW_LIST) {
    return [...new Array<TypedValue>(Number(name)).fill(null), inner()];
  }
  throw new OttlError('neither a string nor an int index was given, this is an error in the OTTL');
}

function listIndex(key: Getter, context: OttlContext, list: readonly TypedValue[]): number {
  const index = key(context);
  if (typeof index !== 'bigint') {
    throw new OttlError(
      `unable to resolve an integer index in slice: could not resolve key for map/slice, expecting 'int64' but got '${typeName(index)}'`,
    );
  }
  if (index < 0n || index >= list.length) throw new OttlError(`index ${index} out of bounds`);
  return Number(index);
}
