/** Converters between types, and questions about them. Source: pkg/ottl/ottlfuncs/README.md. */
import { parseFloat64, parseInt64, truncateToInt64 } from '../../go/values.js';
import { field } from '../../otlp/wire-reader.js';
import { isEqual } from '../compare.js';
import { OttlError, OttlPart, type OttlValue, textLike, toTyped, typeName } from '../values.js';
import type { ConverterDef } from './function.js';

const PARENT_SPAN_ID = field.delimited(4);

const ofValue = (convert: (value: OttlValue) => OttlValue): ConverterDef => ({
  parameters: ['target'],
  build: (args) => {
    const value = args.value(0);
    return (context) => convert(value(context));
  },
});

/** The same; a literal that can't be converted is found when the configuration is read. */
const ofLiteral = (convert: (value: OttlValue) => OttlValue): ConverterDef => ({
  parameters: ['target'],
  build: (args) => args.of(0, convert),
});

function numberError(name: string, text: string): never {
  throw new OttlError(`strconv.${name}: parsing ${JSON.stringify(text)}: invalid syntax`);
}

export const TYPE_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  IsString: ofValue((value) => typeof value === 'string'),
  IsInt: ofValue((value) => typeof value === 'bigint'),
  IsDouble: ofValue((value) => typeof value === 'number'),
  IsBool: ofValue((value) => typeof value === 'boolean'),
  IsMap: ofValue((value) => value instanceof Map),
  IsList: ofValue((value) => Array.isArray(value)),
  IsRootSpan: {
    parameters: [],
    build: () => (context) => {
      const parent = context.item!.content(PARENT_SPAN_ID);
      return parent.every((byte) => byte === 0);
    },
  },
  IsMatch: {
    parameters: ['target', 'pattern'],
    build: (args) => {
      const text = args.textLike(0);
      const pattern = args.pattern(1);
      return (context) => {
        const regexp = pattern(context);
        const found = text(context);
        return found !== undefined && regexp.test(found);
      };
    },
  },
  String: {
    parameters: ['target'],
    build: (args) => {
      const text = args.textLike(0);
      return (context) => text(context) ?? null;
    },
  },
  Int: ofLiteral(toInt),
  Double: ofLiteral(toDouble),
  Bool: ofLiteral(toBool),
  Len: ofValue((value) => {
    if (typeof value === 'string') return BigInt(Buffer.byteLength(value));
    if (value instanceof Uint8Array || Array.isArray(value)) return BigInt(value.length);
    if (value instanceof Map) return BigInt(value.size);
    if (value instanceof OttlPart && value.goType.endsWith('Slice')) return BigInt(value.items.length);
    const name = value === null ? '<nil>' : typeName(value);
    throw new OttlError(
      `Len: unsupported target type ${name}. target arg must be of type string, []any, map[string]any, pcommon.Map, pcommon.Slice, pcommon.Value (of type String, Map, Slice) or a supported slice type from the plog, pmetric or ptrace packages`,
    );
  }),
  Keys: ofValue((value) => {
    if (value instanceof Map) return [...value.keys()];
    throw new OttlError(`expected pcommon.Map but got ${typeName(value)}`);
  }),
  Values: ofValue((value) => {
    if (value instanceof Map) return [...value.values()];
    throw new OttlError(`expected pcommon.Map but got ${typeName(value)}`);
  }),
  ContainsValue: {
    parameters: ['target', 'item'],
    build: (args) => {
      const list = args.value(0);
      const item = args.value(1);
      return (context) => {
        const values = list(context);
        if (!Array.isArray(values)) throw new OttlError(`expected pcommon.Slice but got ${typeName(values)}`);
        const wanted = item(context);
        return values.some((one) => isEqual(one, wanted));
      };
    },
  },
  Index: {
    parameters: ['target', 'value'],
    build: (args) => {
      const target = args.value(0);
      const item = args.value(1);
      return (context) => {
        const values = target(context);
        const wanted = item(context);
        if (typeof values === 'string') {
          if (typeof wanted !== 'string')
            throw new OttlError('invalid value type for Index function, value must be a string');
          const at = values.indexOf(wanted);
          return at < 0 ? -1n : BigInt(Buffer.byteLength(values.slice(0, at)));
        }
        if (!Array.isArray(values))
          throw new OttlError(`expected a string or a list but got ${typeName(values)}`);
        return BigInt(values.findIndex((one) => isEqual(one, wanted)));
      };
    },
  },
  Coalesce: {
    parameters: ['values'],
    build: (args) => {
      const values = args.list(0);
      if (values.length === 0) throw new Error('Coalesce requires at least one argument');
      return (context) => {
        for (const value of values) {
          const found = toTyped(value(context));
          if (found !== null) return found;
        }
        return null;
      };
    },
  },
};

function toInt(value: OttlValue): bigint | null {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'number':
      return truncateToInt64(value);
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return parseInt64(value) ?? null;
  }
  if (value === null) return null;
  throw new OttlError(`unsupported type: ${typeName(value)}`);
}

export function toDouble(value: OttlValue): number | null {
  switch (typeof value) {
    case 'bigint':
      return Number(value);
    case 'number':
      return value;
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return parseFloat64(value) ?? numberError('ParseFloat', value);
  }
  if (value === null) return null;
  throw new OttlError(`unsupported type: ${typeName(value)}`);
}

function toBool(value: OttlValue): boolean | null {
  switch (typeof value) {
    case 'bigint':
      return value !== 0n;
    case 'number':
      return value !== 0;
    case 'boolean':
      return value;
    case 'string': {
      if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value)) return true;
      if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value)) return false;
      throw new OttlError(`strconv.ParseBool: parsing ${JSON.stringify(textLike(value))}: invalid syntax`);
    }
  }
  if (value === null) return null;
  throw new OttlError(`unsupported type: ${typeName(value)}`);
}
