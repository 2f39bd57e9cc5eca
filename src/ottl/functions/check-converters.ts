/** Questions about single values, and numbers made of texts. Source: pkg/ottl/ottlfuncs/README.md. */
import { OttlError, OttlPart, type OttlValue } from '../values.js';
import type { ConverterDef } from './function.js';
import { murmur3Of32, murmur3Of128 } from './murmur3.js';
import { toDouble } from './type-converters.js';

export const CHECK_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  IsEmpty: {
    parameters: ['target'],
    build: (args) => {
      const value = args.value(0);
      return (context) => isEmpty(value(context));
    },
  },
  IsValidLuhn: {
    parameters: ['target'],
    build: (args) => {
      const text = args.textLike(0);
      return (context) => {
        const found = text(context);
        if (found === undefined) throw new OttlError('invalid input: <nil>');
        return isValidLuhn(found);
      };
    },
  },
  Log: {
    parameters: ['target'],
    build: (args) => {
      const number = args.of(0, toDouble);
      return (context) => {
        const value = number(context);
        if (value === null) throw new OttlError('invalid input: <nil>');
        if (value > 0) return Math.log(value);
        throw new OttlError(`invalid input: expected number greater than zero but got ${value}`);
      };
    },
  },
  ParseInt: {
    parameters: ['target', 'base'],
    build: (args) => {
      const text = args.text(0);
      const base = args.int(1);
      return (context) => {
        const source = text(context);
        if (source === '') {
          throw new OttlError('invalid target value for ParseInt function, target cannot be empty');
        }
        const radix = base(context);
        if (radix < 0n) {
          throw new OttlError(`invalid base value: ${radix} for ParseInt function, base cannot be negative`);
        }
        return parseInteger(source, Number(radix));
      };
    },
  },
  Murmur3Hash: hashOf(murmur3Of32),
  Murmur3Hash128: hashOf(murmur3Of128),
};

function hashOf(hash: (text: string) => string): ConverterDef {
  return {
    parameters: ['target'],
    build: (args) => {
      const text = args.text(0);
      return (context) => hash(text(context));
    },
  };
}

function isEmpty(value: OttlValue): boolean {
  if (value === null || value === '') return true;
  if (value instanceof Map) return value.size === 0;
  if (value instanceof OttlPart) return value.items.length === 0;
  return (value instanceof Uint8Array || Array.isArray(value)) && value.length === 0;
}

/** The last digit checks the others. Spaces do not count. Source: ISO/IEC 7812-1, annex B. */
function isValidLuhn(text: string): boolean {
  const digits = Array.from(text.replaceAll(' ', ''));
  let sum = 0;
  for (const [index, char] of digits.reverse().entries()) {
    if (!/^\d$/.test(char))
      throw new OttlError(`strconv.Atoi: parsing ${JSON.stringify(char)}: invalid syntax`);
    const digit = index % 2 === 0 ? Number(char) : Number(char) * 2;
    sum += digit > 9 ? digit - 9 : digit;
  }
  return digits.length > 0 && sum % 10 === 0;
}

const PREFIXES: Readonly<Record<string, number>> = { '0b': 2, '0o': 8, '0x': 16 };

/** `strconv.ParseInt(text, base, 64)`; base 0 goes by the prefix and allows underscores. */
function parseInteger(text: string, base: number): bigint {
  const fail = (why: string): never => {
    throw new OttlError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
  };
  if (base === 1 || base > 36) fail(`invalid base ${base}`);
  const match = /^([+-]?)(.+)$/s.exec(text);
  let digits = (match?.[2] ?? '').toLowerCase();
  let radix = base;
  if (base === 0) {
    const prefix = PREFIXES[digits.slice(0, 2)];
    radix = prefix ?? (digits.startsWith('0') && digits.length > 1 ? 8 : 10);
    digits = prefix === undefined ? digits : digits.slice(2);
    digits = digits.replaceAll(/(?<=[0-9a-z])_(?=[0-9a-z])/g, '');
  }
  if (digits === '') fail('invalid syntax');
  let value = 0n;
  for (const char of digits) {
    const digit = /^[0-9a-z]$/.test(char) ? Number.parseInt(char, 36) : 99;
    if (digit >= radix) fail('invalid syntax');
    value = value * BigInt(radix) + BigInt(digit);
    if (value > 2n ** 64n) break;
  }
  const signed = match?.[1] === '-' ? -value : value;
  return BigInt.asIntN(64, signed) === signed ? signed : fail('value out of range');
}
