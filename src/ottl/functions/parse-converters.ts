/** Converters that take texts apart, hash them, and make ids. Source: pkg/ottl/ottlfuncs/README.md. */
import { createHash, randomUUID } from 'node:crypto';
import { fromHex } from '../../otlp/ids.js';
import type { TypedValue } from '../../otlp/typed-value.js';
import { OttlError, type OttlValue, typeName } from '../values.js';
import type { ConverterDef } from './function.js';
import { parseKeyValuePairs, splitQuoted } from './key-value.js';

export const PARSE_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  ParseJSON: {
    parameters: ['target'],
    build: (args) => {
      const text = args.text(0);
      return (context) => {
        const source = text(context);
        try {
          return fromJson(JSON.parse(source));
        } catch (error) {
          throw new OttlError(`cannot parse JSON: ${(error as Error).message}`);
        }
      };
    },
  },
  ParseKeyValue: {
    parameters: ['target', 'delimiter?', 'pair_delimiter?'],
    build: (args) => {
      const text = args.text(0);
      const delimiter = args.literalText(1, '=');
      const pairDelimiter = args.literalText(2, ' ');
      if (delimiter === '') throw new Error('delimiter cannot be set to an empty string');
      if (pairDelimiter === '') throw new Error('pair delimiter cannot be set to an empty string');
      if (delimiter === pairDelimiter) {
        throw new Error(
          `pair delimiter ${JSON.stringify(pairDelimiter)} cannot be equal to delimiter ${JSON.stringify(delimiter)}`,
        );
      }
      return (context) => {
        const source = text(context);
        if (source === '') throw new OttlError('cannot parse from empty target');
        return parseKeyValuePairs(splitQuoted(source, pairDelimiter), delimiter);
      };
    },
  },
  ExtractPatterns: {
    parameters: ['target', 'pattern'],
    build: (args) => {
      const text = args.text(0);
      const pattern = args.pattern(1);
      return (context) => {
        const regexp = pattern(context);
        if (regexp.groupNames.every((name) => name === '')) {
          throw new OttlError('at least 1 named capture group must be supplied in the given regex');
        }
        const groups = regexp.match(text(context)) ?? [];
        const found = new Map<string, TypedValue>();
        for (const [index, group] of groups.entries()) {
          const name = regexp.groupNames[index];
          if (name !== undefined && name !== '') found.set(name, group);
        }
        return found;
      };
    },
  },
  MD5: hash('md5'),
  SHA1: hash('sha1'),
  SHA256: hash('sha256'),
  SHA512: hash('sha512'),
  FNV: {
    parameters: ['target'],
    build: (args) => {
      const text = args.text(0);
      return (context) => fnv1a(text(context));
    },
  },
  Hex: {
    parameters: ['target'],
    build: (args) => {
      const value = args.value(0);
      return (context) => bytesOf(value(context)).toString('hex');
    },
  },
  Base64Decode: {
    parameters: ['target'],
    build: (args) => {
      const text = args.text(0);
      return (context) => {
        const source = text(context);
        if (source.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(source)) {
          throw new OttlError('illegal base64 data');
        }
        return Buffer.from(source, 'base64').toString('utf8');
      };
    },
  },
  Base64Encode: {
    parameters: ['target'],
    build: (args) => {
      const text = args.text(0);
      return (context) => Buffer.from(text(context)).toString('base64');
    },
  },
  TraceID: id('TraceID', 16),
  SpanID: id('SpanID', 8),
  UUID: { parameters: [], build: () => () => randomUUID() },
};

/** JSON has one kind of number; it is a double. */
function fromJson(value: unknown): TypedValue {
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([key, item]) => [key, fromJson(item)]));
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function hash(algorithm: string): ConverterDef {
  return {
    parameters: ['target'],
    build: (args) => {
      const text = args.text(0);
      return (context) => createHash(algorithm).update(text(context)).digest('hex');
    },
  };
}

/** FNV-1a of 64 bits. */
function fnv1a(text: string): bigint {
  let value = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) {
    value = BigInt.asUintN(64, (value ^ BigInt(byte)) * 0x100000001b3n);
  }
  return BigInt.asIntN(64, value);
}

/** Texts in UTF-8, numbers as eight bytes, bools as one; big endian. */
function bytesOf(value: OttlValue): Buffer {
  const eight = Buffer.alloc(8);
  switch (typeof value) {
    case 'string':
      return Buffer.from(value);
    case 'bigint':
      eight.writeBigInt64BE(value);
      return eight;
    case 'number':
      eight.writeDoubleBE(value);
      return eight;
    case 'boolean':
      return Buffer.from([value ? 1 : 0]);
  }
  if (value instanceof Uint8Array) return Buffer.from(value);
  throw new OttlError(`unsupported type: ${typeName(value)}`);
}

function id(name: string, size: number): ConverterDef {
  return {
    parameters: ['target'],
    build: (args) => {
      const value = args.value(0);
      return (context) => {
        const bytes = bytesOf(value(context));
        if (bytes.length === size) return new Uint8Array(bytes);
        if (bytes.length !== 2 * size) {
          throw new OttlError(
            `${name}: could not decode ID: invalid length: expected ${size} or ${2 * size} bytes, got ${bytes.length}`,
          );
        }
        const decoded = fromHex(bytes.toString('latin1'));
        if (decoded === undefined) throw new OttlError(`${name}: could not decode ID: invalid hex`);
        return decoded;
      };
    },
  };
}
