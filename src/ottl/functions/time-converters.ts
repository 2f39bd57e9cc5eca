/** Converters of times. Times without a zone are in UTC. Source: pkg/ottl/ottlfuncs/README.md. */
import { parseDuration } from '../../config/duration.js';
import { OttlDuration, OttlError, OttlTime, type OttlValue, typeName } from '../values.js';
import type { ConverterDef } from './function.js';
import { compileTimeFormat } from './strptime.js';

const SECOND = 1_000_000_000n;

function expectTime(value: OttlValue): OttlTime {
  if (value instanceof OttlTime) return value;
  throw new OttlError(`expected time but got ${typeName(value)}`);
}

function expectDuration(value: OttlValue): OttlDuration {
  if (value instanceof OttlDuration) return value;
  throw new OttlError(`expected duration but got ${typeName(value)}`);
}

const ofTime = (convert: (ns: bigint) => bigint): ConverterDef => ({
  parameters: ['time'],
  build: (args) => {
    const value = args.value(0);
    return (context) => convert(expectTime(value(context)).ns);
  },
});

const inUnits = (ns: number): ConverterDef => ({
  parameters: ['duration'],
  build: (args) => {
    const value = args.value(0);
    return (context) => Number(expectDuration(value(context)).ns) / ns;
  },
});

const inWholeUnits = (ns: bigint): ConverterDef => ({
  parameters: ['duration'],
  build: (args) => {
    const value = args.value(0);
    return (context) => expectDuration(value(context)).ns / ns;
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
      const location = args.literalText(2, 'UTC');
      if (location !== 'UTC') throw new Error(`unknown time zone ${location}: only UTC is supported`);
      const parse = compileTimeFormat(format);
      return (context) => {
        const source = text(context);
        if (source === '') throw new OttlError('time cannot be nil');
        return new OttlTime(parse(source));
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
        if (ms === undefined) throw new OttlError(`time: invalid duration ${JSON.stringify(source)}`);
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
