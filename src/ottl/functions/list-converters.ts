/** Converters of lists and maps. Source: pkg/ottl/ottlfuncs/README.md. */
import { asString } from '../../go/values.js';
import { kindName, type TypedValue } from '../../otlp/typed-value.js';
import { expectMap, OttlError, type OttlValue, typeName } from '../values.js';
import type { ConverterDef } from './function.js';

export const LIST_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  Sort: {
    parameters: ['target', 'order?'],
    build: (args) => {
      const target = args.value(0);
      const order = args.literalText(1, 'asc');
      if (order !== 'asc' && order !== 'desc') {
        throw new Error(`invalid arguments: ${order}. Order should be either "asc" or "desc"`);
      }
      return (context) => {
        const list = target(context);
        if (!Array.isArray(list)) {
          const name = list === null ? '<nil>' : typeName(list);
          throw new OttlError(`sort with unsupported type: '${name}'. Target is not a list`);
        }
        return sort(list, order === 'desc' ? -1 : 1);
      };
    },
  },
  SliceToMap: {
    parameters: ['target', 'keyPath?', 'valuePath?'],
    build: (args) => {
      const target = args.value(0);
      const keyPath = args.has(1) ? args.literalTexts(1) : undefined;
      const valuePath = args.has(2) ? args.literalTexts(2) : undefined;
      return (context) => {
        const list = target(context);
        if (!Array.isArray(list)) throw new OttlError(`expected pcommon.Slice but got ${typeName(list)}`);
        return sliceToMap(list, keyPath, valuePath);
      };
    },
  },
  ToKeyValueString: {
    parameters: ['target', 'delimiter?', 'pairDelimiter?', 'sortOutput?'],
    build: (args) => {
      const target = args.of(0, expectMap);
      const delimiter = args.literalText(1, '=');
      const pairDelimiter = args.literalText(2, ' ');
      const isSorted = args.literalBool(3, false);
      if (delimiter === '') throw new Error('delimiter cannot be set to an empty string');
      if (pairDelimiter === '') throw new Error('pair delimiter cannot be set to an empty string');
      if (delimiter === pairDelimiter) {
        throw new Error(
          `pair delimiter ${JSON.stringify(pairDelimiter)} cannot be equal to delimiter ${JSON.stringify(delimiter)}`,
        );
      }
      const quote = (text: string) => {
        const escaped = text.replaceAll('"', '\\"');
        return escaped.includes(pairDelimiter) || escaped.includes(delimiter) ? `"${escaped}"` : escaped;
      };
      return (context) => {
        const entries = [...target(context)];
        if (isSorted) entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        const pairs = entries.map(([key, value]) => `${quote(key)}${delimiter}${quote(asString(value))}`);
        return pairs.join(pairDelimiter);
      };
    },
  },
};

/** Numbers by size, anything else by its text; lists with maps or lists in them stay as they are. */
function sort(list: readonly TypedValue[], direction: 1 | -1): OttlValue {
  const kinds = list.map(kindName);
  if (list.length === 0 || kinds.some((kind) => ['Map', 'Slice', 'Bytes'].includes(kind))) return [...list];
  if (kinds.every((kind) => kind === 'Int' || kind === 'Double')) {
    const isMixed = new Set(kinds).size > 1;
    const numbers = list.map((value) => (isMixed ? Number(value) : (value as bigint | number)));
    return numbers.sort((a, b) => (a < b ? -direction : a > b ? direction : 0));
  }
  const keyed = list.map((value) => ({ value, key: Buffer.from(asString(value)) }));
  return keyed.sort((a, b) => direction * Buffer.compare(a.key, b.key)).map(({ value }) => value);
}

function sliceToMap(
  list: readonly TypedValue[],
  keyPath: readonly string[] | undefined,
  valuePath: readonly string[] | undefined,
): Map<string, TypedValue> {
  const map = new Map<string, TypedValue>();
  for (const [index, element] of list.entries()) {
    if ((keyPath !== undefined || valuePath !== undefined) && !(element instanceof Map)) {
      throw new OttlError(
        `slice elements must be maps when using \`key_path\` or \`value_path\`, but could not cast element of type \`${kindName(element)}\` to a map`,
      );
    }
    const take = (path: readonly string[] | undefined, what: string, whole: TypedValue) => {
      try {
        return path === undefined ? whole : extract(element as Map<string, TypedValue>, path);
      } catch (error) {
        throw new OttlError(`could not extract ${what} from element ${index}: ${(error as Error).message}`);
      }
    };
    const key = take(keyPath, 'key', String(index));
    if (typeof key !== 'string') {
      throw new OttlError(
        `element ${index}: extracted key attribute is not of type string, got "${kindName(key)}"`,
      );
    }
    map.set(key, take(valuePath, 'value', element));
  }
  return map;
}

function extract(map: Map<string, TypedValue>, path: readonly string[]): TypedValue {
  if (path.length === 0) throw new Error('must provide at least one path item');
  let value: TypedValue | undefined = map;
  for (const name of path) value = value instanceof Map ? value.get(name) : undefined;
  if (value === undefined) throw new Error(`provided object does not contain the path [${path.join(' ')}]`);
  return value;
}
