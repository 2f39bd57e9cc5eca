/** Converters that take texts apart, hash them, and make ids. Source: pkg/ottl/ottlfuncs/README.md. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { fromHex } from '../../otlp/ids.js';
import type { TypedValue } from '../../otlp/typed-value.js';
import { type IdKind, OttlError, OttlId, type OttlValue, typeName } from '../values.js';
import type { ConverterDef } from './function.js';
import { parseKeyValuePairs, splitQuoted } from './key-value.js';

/** Encodings by their names in RFC 4648 and IANA's list. */
const ENCODINGS: Readonly<Record<string, (bytes: Buffer) => string>> = {
  base64: (bytes) => decodeBase64(bytes, 'base64', true),
  'base64-raw': (bytes) => decodeBase64(bytes, 'base64', false),
  'base64-url': (bytes) => decodeBase64(bytes, 'base64url', true),
  'base64-raw-url': (bytes) => decodeBase64(bytes, 'base64url', false),
};

function decodeBase64(bytes: Buffer, encoding: 'base64' | 'base64url', padded: boolean): string {
  const text = bytes.toString('latin1');
  const alphabet = encoding === 'base64' ? /^[A-Za-z0-9+/]*(={0,2})$/ : /^[A-Za-z0-9_-]*(={0,2})$/;
  const match = alphabet.exec(text);
  const isWhole = padded ? text.length % 4 === 0 : match?.[1] === '' && text.length % 4 !== 1;
  if (match === null || !isWhole) {
    throw new OttlError(`could not decode: illegal base64 data at input byte ${base64ErrorAt(text)}`);
  }
  return Buffer.from(text, encoding).toString('utf8');
}

const decodeDef: ConverterDef = {
  parameters: ['target', 'encoding'],
  build: (args) => {
    const value = args.value(0);
    const name = args.literalText(1);
    const decode = Object.hasOwn(ENCODINGS, name) ? ENCODINGS[name]! : textDecoder(name);
    return (context) => {
      const found = value(context);
      if (typeof found === 'string' || found instanceof Uint8Array)
        return decode(Buffer.from(found as string));
      throw new OttlError(`unsupported type provided to Decode function: ${typeName(found)}`);
    };
  },
};

function textDecoder(name: string): (bytes: Buffer) => string {
  try {
    const decoder = new TextDecoder(name);
    return (bytes) => decoder.decode(bytes);
  } catch {
    throw new Error(`unsupported encoding '${name}'`);
  }
}

/** Time, then chance. Source: RFC 9562 section 5.7. */
function uuidV7(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Math.floor(nowMs), 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export const PARSE_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  ParseJSON: {
    parameters: ['target'],
    build: (args) => {
      const text = args.text(0);
      return (context) => {
        const source = text(context);
        let parsed: unknown;
        try {
          parsed = JSON.parse(source);
        } catch (error) {
          throw new OttlError(jsonError(source, error as Error));
        }
        if (typeof parsed === 'object' && parsed !== null) return fromJson(parsed);
        throw new OttlError(`could not convert parsed value of type ${jsonType(parsed)} to JSON object`);
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
          throw new OttlError(`illegal base64 data at input byte ${base64ErrorAt(source)}`);
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
  ProfileID: id('ProfileID', 16),
  UUIDv7: { parameters: [], build: () => (context) => uuidV7(context.now()) },
  Decode: decodeDef,
  UUID: { parameters: [], build: () => () => randomUUID() },
};

/** Go's sentence where it is clear; its parser and ours agree on what is JSON, not on words. */
function jsonError(source: string, error: Error): string {
  const first = Array.from(source.trimStart())[0];
  if (first === undefined || source.trimStart() === '{' || source.trimStart() === '[') {
    return "invalid character '\u0000' looking for beginning of value";
  }
  if (!'{["-0123456789tfn'.includes(first)) {
    return `invalid character '${first}' looking for beginning of value`;
  }
  return `cannot parse JSON: ${error.message}`;
}

const jsonType = (value: unknown): string =>
  value === null
    ? '<nil>'
    : typeof value === 'number'
      ? 'float64'
      : typeof value === 'boolean'
        ? 'bool'
        : 'string';

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

/** Where Go's decoder stops: at the first character that can't be, or at the group that is not whole. */
function base64ErrorAt(text: string): number {
  const bad = /[^A-Za-z0-9+/=]/.exec(text);
  const padding = /=(?!=?$)/.exec(text);
  if (bad !== null || padding !== null) return Buffer.byteLength(text.slice(0, (bad ?? padding)!.index));
  return text.length - (text.length % 4);
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
  if (value === null) return Buffer.alloc(0);
  throw new OttlError(`unsupported type: ${typeName(value)}`);
}

function id(name: IdKind, size: number): ConverterDef {
  return {
    parameters: ['target'],
    build: (args) => {
      const convert = (value: OttlValue): OttlId => {
        const bytes = bytesOf(value);
        if (bytes.length === size) return OttlId.named(name, bytes);
        if (bytes.length !== 2 * size) {
          throw new OttlError(
            `${name}: could not decode ID: invalid length: expected ${size} or ${2 * size} bytes, got ${bytes.length}`,
          );
        }
        const decoded = fromHex(bytes.toString('latin1'));
        if (decoded === undefined) throw new OttlError(`${name}: could not decode ID: invalid hex`);
        return OttlId.named(name, decoded);
      };
      const literal = args.constant(0);
      if (literal !== undefined) {
        const id = convert(literal);
        return () => id;
      }
      const value = args.value(0);
      return (context) => convert(value(context));
    },
  };
}
