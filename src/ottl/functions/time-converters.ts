/** Converters of times. Times without a zone are in UTC. Source: pkg/ottl/ottlfuncs/README.md. */
import { parseDuration } from '../../config/duration.js';
import { OttlDuration, OttlError, OttlTime, type OttlValue, typeName } from '../values.js';
import type { ConverterDef } from './function.js';
import { checkTimeFormat, compileTimeFormat, formatTime } from './strptime.js';
import { zoneNamed } from './time-zone.js';

const SECOND = 1_000_000_000n;

/** From the year 1 to 1970 in nanoseconds. */
const YEAR_1_NS = 62_135_596_800n * SECOND;

function expectTime(value: OttlValue): OttlTime {
  if (value instanceof OttlTime) return value;
  throw new OttlError(`expected time but got ${typeName(value)}`);
}

/** An IETF tag, or one that nobody has. */
function canonical(locale: string): string {
  try {
    return Intl.getCanonicalLocales(locale)[0] ?? 'und';
  } catch {
    return 'und';
  }
}

function expectDuration(value: OttlValue): OttlDuration {
  if (value instanceof OttlDuration) return value;
  throw new OttlError(`expected duration but got ${typeName(value)}`);
}

const ofTime = (convert: (ns: bigint) => bigint): ConverterDef => ({
  parameters: ['time'],
  build: (args) => {
    const time = args.of(0, expectTime, 'StandardTimeGetter');
    return (context) => convert(time(context).ns);
  },
});

const inUnits = (ns: number): ConverterDef => ({
  parameters: ['duration'],
  build: (args) => {
    const duration = args.of(0, expectDuration, 'StandardDurationGetter');
    return (context) => Number(duration(context).ns) / ns;
  },
});

const inWholeUnits = (ns: bigint): ConverterDef => ({
  parameters: ['duration'],
  build: (args) => {
    const duration = args.of(0, expectDuration, 'StandardDurationGetter');
    return (context) => duration(context).ns / ns;
  },
});

const dateOf = (ns: bigint): Date => new Date(Number(ns / 1_000_000n));

export const TIME_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  Now: {
    parameters: [],
    build: () => (context) => new OttlTime(BigInt(Math.round(context.now() * 1000)) * 1000n),
  },
  Time: {
    parameters: ['time', 'format', 'location?', 'locale?'],
    build: (args) => {
      const text = args.text(0);
      const format = args.literalText(1);
      if (format === '') throw new Error('format cannot be nil');
      const given = args.literalText(2, '');
      const zone = given === '' ? 'UTC' : zoneNamed(given);
      if (zone === undefined) throw new Error(`failed to load location ${given}: unknown time zone ${given}`);
      const locale = args.literalText(3, 'en');
      if (Intl.DateTimeFormat.supportedLocalesOf(canonical(locale)).length === 0) {
        throw new Error(`unsupported locale '${locale}'`);
      }
      let now = Date.now;
      const parse = compileTimeFormat(format, { zone, locale, now: () => now() });
      return (context) => {
        const source = text(context);
        if (source === '') throw new OttlError('time cannot be nil');
        now = context.now;
        return new OttlTime(parse(source));
      };
    },
  },
  FormatTime: {
    parameters: ['time', 'format'],
    build: (args) => {
      const time = args.of(0, expectTime, 'StandardTimeGetter');
      const format = args.literalText(1);
      if (format === '') throw new Error('format cannot be nil');
      checkTimeFormat(format);
      return (context) => formatTime(format, time(context).ns);
    },
  },
  TruncateTime: {
    parameters: ['time', 'duration'],
    build: (args) => {
      const time = args.of(0, expectTime, 'StandardTimeGetter');
      const duration = args.of(1, expectDuration, 'StandardDurationGetter');
      return (context) => {
        const { ns } = time(context);
        const step = duration(context).ns;
        if (step <= 0n) return new OttlTime(ns);
        // Go counts from the year 1; steps of weeks and the like begin there.
        const since = ns + YEAR_1_NS;
        return new OttlTime(ns - (since % step));
      };
    },
  },
  Duration: {
    parameters: ['duration'],
    build: (args) => {
      const text = args.text(0);
      return (context) => {
        const source = text(context);
        const ms = parseDuration(source);
        if (ms === undefined) {
          const why = /^[+-]?[\d.]+$/.test(source) ? 'missing unit in' : 'invalid';
          throw new OttlError(`time: ${why} duration ${JSON.stringify(source)}`);
        }
        return new OttlDuration(BigInt(Math.round(ms * 1e6)));
      };
    },
  },
  Unix: {
    parameters: ['seconds', 'nanoseconds?'],
    build: (args) => {
      const seconds = args.int(0);
      const rest = args.has(1) ? args.int(1) : () => 0n;
      return (context) => new OttlTime(seconds(context) * SECOND + rest(context));
    },
  },
  UnixNano: ofTime((ns) => ns),
  UnixMicro: ofTime((ns) => ns / 1000n),
  UnixMilli: ofTime((ns) => ns / 1_000_000n),
  UnixSeconds: ofTime((ns) => ns / SECOND),
  Year: ofTime((ns) => BigInt(dateOf(ns).getUTCFullYear())),
  Month: ofTime((ns) => BigInt(dateOf(ns).getUTCMonth() + 1)),
  Day: ofTime((ns) => BigInt(dateOf(ns).getUTCDate())),
  Weekday: ofTime((ns) => BigInt(dateOf(ns).getUTCDay())),
  Hour: ofTime((ns) => BigInt(dateOf(ns).getUTCHours())),
  Minute: ofTime((ns) => BigInt(dateOf(ns).getUTCMinutes())),
  Second: ofTime((ns) => BigInt(dateOf(ns).getUTCSeconds())),
  Nanosecond: ofTime((ns) => ns % SECOND),
  Hours: inUnits(3600e9),
  Minutes: inUnits(60e9),
  Seconds: inUnits(1e9),
  Milliseconds: inWholeUnits(1_000_000n),
  Microseconds: inWholeUnits(1000n),
  Nanoseconds: inWholeUnits(1n),
};
