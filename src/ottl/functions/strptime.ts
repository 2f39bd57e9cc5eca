/**
 * Reads times by a `strptime` format: %Y %y %m %d %e %j %H %I %p %M %S %L %f %s %b %B %h %a %A %z %Z %D %F %T %R %n %t %%.
 * Source: POSIX strptime(3), with %L (milliseconds), %f (fraction) and %s (seconds since the epoch) as the Collector has.
 */
import { OttlError } from '../values.js';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const COMPOUND: Readonly<Record<string, string>> = {
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  R: '%H:%M',
};

/** What a directive matches, as the source of one group. */
const PATTERNS: Readonly<Record<string, string>> = {
  Y: '(\\d{4})',
  y: '(\\d{2})',
  m: '(\\d{1,2})',
  d: '(\\d{1,2})',
  e: '\\s*(\\d{1,2})',
  j: '(\\d{1,3})',
  H: '(\\d{1,2})',
  k: '\\s*(\\d{1,2})',
  I: '(\\d{1,2})',
  p: '([AaPp][Mm])',
  M: '(\\d{1,2})',
  S: '(\\d{1,2})',
  L: '(\\d{3})',
  f: '(\\d{1,9})',
  s: '(\\d{1,12})',
  b: '([A-Za-z]{3})',
  h: '([A-Za-z]{3})',
  B: '([A-Za-z]+)',
  a: '([A-Za-z]{3})',
  A: '([A-Za-z]+)',
  z: '(Z|[+-]\\d{2}:?\\d{2})',
  Z: '([A-Z]{1,5})',
};

/** Nanoseconds since the epoch. The function throws `OttlError`; this one an `Error` for a bad format. */
export function compileTimeFormat(format: string): (text: string) => bigint {
  const directives: string[] = [];
  const expanded = format.replace(/%([DFTR])/g, (_, letter: string) => COMPOUND[letter]!);
  const source = expanded.replace(
    /%(.)|([\^$\\.*+?()[\]{}|])|\s+/g,
    (whole, letter?: string, special?: string) => {
      if (special !== undefined) return `\\${special}`;
      if (letter === undefined || letter === 'n' || letter === 't') return '\\s+';
      if (letter === '%') return '%';
      const pattern = Object.hasOwn(PATTERNS, letter) ? PATTERNS[letter] : undefined;
      if (pattern === undefined) throw new Error(`invalid strptime format: unsupported directive ${whole}`);
      directives.push(letter);
      return pattern;
    },
  );
  const regexp = new RegExp(`^${source}$`);
  return (text) => {
    const found = regexp.exec(text);
    if (found === null)
      throw new OttlError(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(format)}: cannot parse`);
    const fields = new Map(directives.map((letter, index) => [letter, found[index + 1]!]));
    return toNanoseconds(fields, text);
  };
}

function toNanoseconds(fields: ReadonlyMap<string, string>, text: string): bigint {
  const number = (letter: string) => (fields.has(letter) ? Number(fields.get(letter)) : undefined);
  const fraction = BigInt((fields.get('f') ?? fields.get('L') ?? '').padEnd(9, '0') || '0');
  const epoch = fields.get('s');
  if (epoch !== undefined) return BigInt(epoch) * 1_000_000_000n + fraction;
  const short = number('y');
  const year = number('Y') ?? (short === undefined ? 1970 : short + (short < 69 ? 2000 : 1900));
  const name = fields.get('b') ?? fields.get('h') ?? fields.get('B');
  const month = name === undefined ? (number('m') ?? 1) : MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1;
  let day = number('d') ?? number('e') ?? 1;
  const dayOfYear = number('j');
  if (dayOfYear !== undefined) day = dayOfYear;
  const half = fields.get('p')?.toLowerCase();
  const twelve = number('I');
  const hour =
    twelve === undefined ? (number('H') ?? number('k') ?? 0) : (twelve % 12) + (half === 'pm' ? 12 : 0);
  const minute = number('M') ?? 0;
  const second = number('S') ?? 0;
  const inRange = month >= 1 && month <= 12 && hour < 24 && minute < 60 && second < 61;
  const date = new Date(Date.UTC(year, dayOfYear === undefined ? month - 1 : 0, day, hour, minute, second));
  if (!inRange || day < 1 || (dayOfYear === undefined && date.getUTCMonth() !== month - 1)) {
    throw new OttlError(`parsing time ${JSON.stringify(text)}: value out of range`);
  }
  return BigInt(date.getTime() - offsetMs(fields.get('z'))) * 1_000_000n + fraction;
}

function offsetMs(zone: string | undefined): number {
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? '');
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return (match[1] === '-' ? -1 : 1) * minutes * 60_000;
}
