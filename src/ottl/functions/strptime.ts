/**
 * Reads and writes times by a `strptime` format. Source: POSIX strptime(3) with the directives and the rules of the
 * Collector (contrib, internal/coreinternal/timeutils): %L %f %s are fractions of a second and follow a dot or comma;
 * %z %w %i %j %k are offsets from UTC, %Z is an abbreviation.
 */
import { OttlError } from '../values.js';
import { offsetMsAt, zoneNamed } from './time-zone.js';

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

const COMPOUND: Readonly<Record<string, string>> = {
  D: '%m/%d/%E',
  x: '%m/%d/%E',
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  X: '%H:%M:%S',
  R: '%H:%M',
  r: '%I:%M:%S %P',
  c: '%a %b %d %H:%M:%S %Y',
};

/** What a directive matches, as the source of one group. */
const PATTERNS: Readonly<Record<string, string>> = {
  Y: '(\\d{4})',
  y: '(\\d{2})',
  // Only inside %D and %x: either.
  E: '(\\d{4}|\\d{2})',
  m: '(\\d{1,2})',
  o: '\\s*(\\d{1,2})',
  q: '(\\d{1,2})',
  d: '(\\d{1,2})',
  e: '\\s*(\\d{1,2})',
  g: '(\\d{1,2})',
  H: '(\\d{1,2})',
  l: '\\s*(\\d{1,2})',
  I: '(\\d{1,2})',
  p: '([AaPp][Mm])',
  P: '([AaPp][Mm])',
  M: '(\\d{1,2})',
  S: '(\\d{1,2})',
  L: '(\\d{1,9})',
  f: '(\\d{1,9})',
  s: '(\\d{1,9})',
  b: '([\\p{L}.]{3,5})',
  h: '([\\p{L}.]{3,5})',
  B: '([\\p{L}]+)',
  a: '([\\p{L}.]{2,4})',
  A: '([\\p{L}]+)',
  z: '(Z|[+-]\\d{2}(?::?\\d{2})?)',
  w: '([+-]\\d{6})',
  i: '([+-]\\d{2})',
  j: '([+-]\\d{2}:\\d{2})',
  k: '([+-]\\d{2}:\\d{2}:\\d{2})',
  Z: '([A-Z][A-Z0-9+-]{1,8})',
};

/** Throws an `Error` with the Collector's sentence for a format that can't be. */
export function checkTimeFormat(format: string): void {
  if (/\d/.test(format)) throw new Error('format string should not contain decimals');
  const fraction = /[^.,]%[Lfs]/s.exec(format);
  if (fraction !== null) {
    throw new Error(
      `invalid fractional seconds directive: '${fraction[0]}'. must be preceded with '.' or ','`,
    );
  }
  const unknown = [...format.matchAll(/%(.)/gs)].filter(
    ([, letter]) =>
      (letter === 'E' || !Object.hasOwn(PATTERNS, letter!)) &&
      !Object.hasOwn(COMPOUND, letter!) &&
      !'nt%'.includes(letter!),
  );
  if (unknown.length === 0) return;
  const list = unknown.map(([directive]) => `unsupported ctimefmt.toNative() directive: ${directive}`);
  throw new Error(`invalid strptime format: [${list.join(' ')}]`);
}

export interface TimeRules {
  /** Name of the zone of times that say none. */
  readonly zone: string;
  /** BCP 47 tag of the language of month and day names. */
  readonly locale: string;
  /** For times without a year. Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Nanoseconds since the epoch. The function throws `OttlError`; this one an `Error` for a bad format. */
export function compileTimeFormat(format: string, rules: TimeRules): (text: string) => bigint {
  checkTimeFormat(format);
  const months = monthNames(rules.locale);
  const directives: string[] = [];
  const expanded = format.replace(/%([DxFTXRrc])/g, (_, letter: string) => COMPOUND[letter]!);
  const source = expanded.replace(
    /%(.)|([\^$\\.*+?()[\]{}|/])|\s+/gs,
    (_whole, letter?: string, special?: string) => {
      if (special !== undefined) return `\\${special}`;
      if (letter === undefined || letter === 'n' || letter === 't') return '\\s+';
      if (letter === '%') return '%';
      directives.push(letter);
      return PATTERNS[letter]!;
    },
  );
  const whole = new RegExp(`^${source}`, 'u');
  return (text) => {
    const found = whole.exec(text);
    const fail = (why: string): never => {
      throw new OttlError(`parsing time ${JSON.stringify(text)}${why}`);
    };
    if (found === null) {
      return fail(
        ` as ${JSON.stringify(format)}: cannot parse ${JSON.stringify(text)} as ${JSON.stringify(format)}`,
      );
    }
    if (found[0].length < text.length) {
      fail(`: extra text: ${JSON.stringify(text.slice(found[0].length))}`);
    }
    const fields = new Map(directives.map((letter, index) => [letter, found[index + 1]!]));
    return toNanoseconds(fields, months, rules, (why) => fail(`: ${why}`));
  };
}

/** The names of the months, in lower case and without dots, in full and short form. */
function monthNames(locale: string): readonly (readonly string[])[] {
  const plain = (name: string) => name.toLowerCase().replaceAll('.', '');
  return MONTHS.map((english, month) => {
    const date = new Date(Date.UTC(2024, month, 15));
    const inLocale = (['long', 'short'] as const).map((style) =>
      plain(new Intl.DateTimeFormat(locale, { month: style, timeZone: 'UTC' }).format(date)),
    );
    return [plain(english), plain(english).slice(0, 3), ...inLocale];
  });
}

function toNanoseconds(
  fields: ReadonlyMap<string, string>,
  months: readonly (readonly string[])[],
  { zone, now }: TimeRules,
  fail: (why: string) => never,
): bigint {
  const first = (...letters: string[]) =>
    letters.map((letter) => fields.get(letter)).find((one) => one !== undefined);
  const number = (...letters: string[]) => {
    const text = first(...letters);
    return text === undefined ? undefined : Number(text);
  };
  const fraction = BigInt((first('s', 'f', 'L') ?? '').padEnd(9, '0'));
  const either = fields.get('E');
  const short = either?.length === 2 ? Number(either) : number('y');
  const full = number('Y') ?? (either?.length === 4 ? Number(either) : undefined);
  const year = full ?? (short === undefined ? undefined : short + (short < 69 ? 2000 : 1900));
  const name = first('b', 'h', 'B')?.toLowerCase().replaceAll('.', '');
  const month =
    name === undefined ? (number('m', 'o', 'q') ?? 1) : months.findIndex((names) => names.includes(name)) + 1;
  const day = number('d', 'e', 'g') ?? 1;
  const half = first('p', 'P')?.toLowerCase();
  const twelve = number('I', 'l');
  if (month < 1 || month > 12) fail('month out of range');
  if (twelve !== undefined && (twelve < 1 || twelve > 12)) fail('hour out of range');
  const hour = twelve === undefined ? (number('H') ?? 0) : (twelve % 12) + (half === 'pm' ? 12 : 0);
  if (hour > 23) fail('hour out of range');
  const minute = number('M') ?? 0;
  if (minute > 59) fail('minute out of range');
  const second = number('S') ?? 0;
  if (second > 59) fail('second out of range');
  const at = (fullYear: number) => Date.UTC(fullYear, month - 1, day, hour, minute, second);
  if (day < 1 || new Date(at(year ?? 2024)).getUTCMonth() !== month - 1) fail('day out of range');
  const offset = first('z', 'w', 'i', 'j', 'k');
  const toUtc = (local: number) =>
    local -
    (offset === undefined ? offsetMsAt(zoneNamed(fields.get('Z') ?? '') ?? zone, local) : offsetMs(offset));
  let ms = toUtc(at(year ?? new Date(now()).getUTCFullYear()));
  // Without a year: the last time that it was so, or that it will be within a week.
  if (year === undefined && ms > now() + 7 * 86_400_000) ms = toUtc(at(new Date(now()).getUTCFullYear() - 1));
  return BigInt(ms) * 1_000_000n + fraction;
}

function offsetMs(text: string): number {
  const match = /^([+-])(\d{2}):?(\d{2})?:?(\d{2})?$/.exec(text);
  if (match === null) return 0;
  const seconds = Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0);
  return (match[1] === '-' ? -1 : 1) * seconds * 1000;
}

/** A time in UTC by a format that `checkTimeFormat` accepts. */
export function formatTime(format: string, ns: bigint): string {
  const seconds = ns / 1_000_000_000n - (ns % 1_000_000_000n < 0n ? 1n : 0n);
  const fraction = String(ns - seconds * 1_000_000_000n).padStart(9, '0');
  const date = new Date(Number(seconds) * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const twelve = ((date.getUTCHours() + 11) % 12) + 1;
  const values: Readonly<Record<string, () => string>> = {
    Y: () => String(date.getUTCFullYear()).padStart(4, '0'),
    y: () => two(date.getUTCFullYear() % 100),
    m: () => two(date.getUTCMonth() + 1),
    o: () => String(date.getUTCMonth() + 1).padStart(2, ' '),
    q: () => String(date.getUTCMonth() + 1),
    b: () => MONTHS[date.getUTCMonth()]!.slice(0, 3),
    h: () => MONTHS[date.getUTCMonth()]!.slice(0, 3),
    B: () => MONTHS[date.getUTCMonth()]!,
    d: () => two(date.getUTCDate()),
    e: () => String(date.getUTCDate()).padStart(2, ' '),
    g: () => String(date.getUTCDate()),
    a: () => DAYS[date.getUTCDay()]!.slice(0, 3),
    A: () => DAYS[date.getUTCDay()]!,
    H: () => two(date.getUTCHours()),
    l: () => String(twelve),
    I: () => two(twelve),
    p: () => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
    P: () => (date.getUTCHours() < 12 ? 'am' : 'pm'),
    M: () => two(date.getUTCMinutes()),
    S: () => two(date.getUTCSeconds()),
    z: () => 'Z',
    w: () => '+000000',
    i: () => '+00',
    j: () => '+00:00',
    k: () => '+00:00:00',
    Z: () => 'UTC',
    n: () => '\n',
    t: () => '\t',
    '%': () => '%',
  };
  const digits: Readonly<Record<string, number>> = { L: 3, f: 6, s: 9 };
  return format
    .replace(/%([DxFTXRrc])/g, (_, letter: string) => COMPOUND[letter]!)
    .replaceAll('%E', '%Y')
    .replace(/([.,])?%(.)/gs, (_, before: string | undefined, letter: string) => {
      const count = digits[letter];
      if (count === undefined) return (before ?? '') + (values[letter]?.() ?? '');
      // As Go's nines: as many digits as there are, and no dot where there are none.
      const cut = fraction.slice(0, count).replace(/0+$/, '');
      return cut === '' ? '' : (before ?? '') + cut;
    });
}
