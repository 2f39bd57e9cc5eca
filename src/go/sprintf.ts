/**
 * `fmt.Sprintf` for the values that OTTL has. Source: Go 1.26, fmt/doc.go. Verbs: %v %T %t %d %b %o %O %x %X %c %q %U %e %E
 * %f %F %g %G %s %%; flags + - # space 0; width and precision as numbers.
 */
import type { TypedValue } from '../otlp/typed-value.js';
import { asString, doubleText } from './values.js';

const VERB = /%([+\-# 0]*)(\d+)?(?:\.(\d*))?([\s\S]?)/gu;
/** Longer ones are cut, since a format comes from data now and then. */
const MAX_WIDTH = 10_000;

interface Options {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
}

export function sprintf(format: string, values: readonly TypedValue[]): string {
  let used = 0;
  const text = format.replace(VERB, (_whole, flags: string, width, precision, verb: string) => {
    if (verb === '') return '%!(NOVERB)';
    if (verb === '%') return '%';
    if (used >= values.length) return `%!${verb}(MISSING)`;
    const options = {
      flags,
      width: Math.min(Number(width ?? 0), MAX_WIDTH),
      precision: precision === undefined ? undefined : Math.min(Number(precision || 0), MAX_WIDTH),
    };
    return one(verb, values[used++]!, options);
  });
  if (used >= values.length) return text;
  const extra = values
    .slice(used)
    .map((value) => (value === null ? '<nil>' : `${goType(value)}=${plain(value)}`));
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function one(verb: string, value: TypedValue, options: Options): string {
  if (verb === 'T') return pad(goType(value), options);
  if (value === null) return verb === 'v' ? pad('<nil>', options) : `%!${verb}(<nil>)`;
  if (verb === 'v')
    return typeof value === 'string' ? pad(value, options) : pad(plain(value), options, typeof value);
  const bad = `%!${verb}(${goType(value)}=${plain(value)})`;
  switch (typeof value) {
    case 'boolean':
      return verb === 't' ? pad(String(value), options) : bad;
    case 'bigint':
      return integer(verb, value, options) ?? bad;
    case 'number':
      return float(verb, value, options) ?? bad;
    case 'string':
      return words(verb, value, options) ?? bad;
  }
  return value instanceof Uint8Array ? (words(verb, value, options) ?? bad) : pad(plain(value), options);
}

const BASES: Readonly<Record<string, number>> = { d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

function integer(verb: string, value: bigint, options: Options): string | undefined {
  if (verb === 'c') return pad(String.fromCodePoint(Number(BigInt.asUintN(20, value))), options);
  if (verb === 'q') return pad(`'${String.fromCodePoint(Number(BigInt.asUintN(20, value)))}'`, options);
  if (verb === 'U') return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, options);
  const base = BASES[verb];
  if (base === undefined) return undefined;
  const magnitude = value < 0n ? -value : value;
  let digits = magnitude.toString(base);
  if (verb === 'X') digits = digits.toUpperCase();
  if (options.precision !== undefined) digits = digits.padStart(options.precision, '0');
  const prefix = verb === 'O' ? '0o' : options.flags.includes('#') ? (PREFIXES[verb] ?? '') : '';
  return padNumber(signOf(value < 0n, options), prefix + digits, options, options.precision === undefined);
}

const PREFIXES: Readonly<Record<string, string>> = { b: '0b', o: '0', x: '0x', X: '0X' };

function float(verb: string, value: number, options: Options): string | undefined {
  if (!'eEfFgG'.includes(verb)) return undefined;
  if (!Number.isFinite(value)) {
    const text = Number.isNaN(value) ? 'NaN' : 'Inf';
    return padNumber(value < 0 ? '-' : value > 0 ? '+' : '', text, options, false);
  }
  const negative = value < 0 || Object.is(value, -0);
  return padNumber(signOf(negative, options), magnitudeText(verb, Math.abs(value), options), options, true);
}

function magnitudeText(verb: string, value: number, { precision }: Options): string {
  const lower = verb.toLowerCase();
  let text: string;
  if (lower === 'f') text = value.toFixed(Math.min(precision ?? 6, 100));
  else if (lower === 'e') text = exponent(value.toExponential(Math.min(precision ?? 6, 100)));
  else text = shortest(value, precision);
  return verb === 'E' || verb === 'G' ? text.toUpperCase() : text;
}

/** %g: an exponent below -4 or from the precision (for the shortest form: 6, or 21 within %v) on. */
function shortest(value: number, precision: number | undefined, most = 6): string {
  if (value === 0) return '0';
  const digits = precision === undefined ? undefined : Math.min(Math.max(precision, 1), 100);
  const scientific = digits === undefined ? value.toExponential() : value.toExponential(digits - 1);
  const power = Number(scientific.slice(scientific.indexOf('e') + 1));
  const digitCount = scientific.replace(/e.*/, '').replace('.', '').length;
  if (power < -4 || power >= (digits ?? Math.max(digitCount, most))) {
    return exponent(scientific.replace(/\.?0+e/, 'e'));
  }
  if (digits === undefined) return value < 1e-6 ? value.toFixed(20).replace(/0+$/, '') : String(value);
  const fixed = value.toFixed(Math.min(Math.max(digits - 1 - power, 0), 100));
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

/** At least two digits in the exponent. */
const exponent = (text: string): string => text.replace(/e([+-])(\d)$/, 'e$10$2');

function words(verb: string, value: string | Uint8Array, options: Options): string | undefined {
  const cut = (text: string) =>
    options.precision === undefined ? text : Array.from(text).slice(0, options.precision).join('');
  const text = typeof value === 'string' ? value : Buffer.from(value).toString('utf8');
  switch (verb) {
    case 's':
      return pad(cut(text), options);
    case 'q':
      return pad(JSON.stringify(cut(text)), options);
    case 'x':
    case 'X': {
      const hex = Buffer.from(value).toString('hex');
      return pad(verb === 'X' ? hex.toUpperCase() : hex, options);
    }
    case 'd':
      return typeof value === 'string' ? undefined : pad(plain(value), options);
  }
  return undefined;
}

const signOf = (negative: boolean, { flags }: Options): string =>
  negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';

function padNumber(sign: string, digits: string, options: Options, mayZero: boolean): string {
  const { flags, width } = options;
  if (mayZero && flags.includes('0') && !flags.includes('-')) {
    return sign + digits.padStart(width - sign.length, '0');
  }
  return pad(sign + digits, options);
}

function pad(text: string, { flags, width }: Options, type?: string): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  const zero = flags.includes('0') && (type === 'bigint' || type === 'number');
  return (zero ? '0' : ' ').repeat(missing) + text;
}

/** `%v`. */
function plain(value: TypedValue): string {
  if (value === null) return '<nil>';
  if (typeof value === 'number')
    return Number.isFinite(value)
      ? `${value < 0 ? '-' : ''}${shortest(Math.abs(value), undefined, 21)}`
      : doubleText(value);
  if (value instanceof Uint8Array) return `[${[...value].join(' ')}]`;
  return asString(value);
}

function goType(value: TypedValue): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'bigint':
      return 'int64';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
  }
  if (value === null) return '<nil>';
  if (value instanceof Uint8Array) return '[]uint8';
  return value instanceof Map ? 'pcommon.Map' : 'pcommon.Slice';
}
