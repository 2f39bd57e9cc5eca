/**
 * Durations as the OpenTelemetry Collector writes them: Go's `time.ParseDuration`
 * (https://pkg.go.dev/time#ParseDuration), for example "200ms", "1m30s", "1.5h", "-3s", "0".
 */

/** Milliseconds of each unit. Both the micro sign and the Greek letter mu are accepted, as Go does. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  '\u00b5s': 1e-3,
  '\u03bcs': 1e-3,
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
};

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;

/** Milliseconds (may be fractional or negative), or undefined when `text` is not a duration. */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[-+]/, '');
  if (body === '0') return 0;
  if (body === '') return undefined;
  let totalMs = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < body.length) {
    const part = PART.exec(body);
    if (part === null) return undefined;
    totalMs += Number(part[1]) * UNIT_MS[part[2] ?? '']!;
  }
  return sign * totalMs;
}

/** Longest duration that Go can tell, a little more than 292 years. */
const MAX_MS = 2 ** 63 / 1e6;

/** Go's sentence for a text that is no duration, undefined for one that is. */
export function durationProblem(text: string): string | undefined {
  const ms = parseDuration(text);
  if (ms !== undefined) return Math.abs(ms) < MAX_MS ? undefined : 'time: invalid duration';
  const body = text.replace(/^[-+]/, '');
  for (let rest = body; rest !== ''; ) {
    const number = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) return 'time: invalid duration';
    rest = rest.slice(number.length);
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? '';
    if (unit === '') return 'time: missing unit in duration';
    if (UNIT_MS[unit] === undefined) return 'time: unknown unit';
    rest = rest.slice(unit.length);
  }
  return 'time: invalid duration';
}

/** The text that Go prints for a duration: "0s", "1.5ms", "200ms", "1m30s", "1h0m0s". */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  // Whole nanoseconds, so that 0.1 + 0.2 does not print as 0.30000000000000004.
  const ns = Math.round(Math.abs(ms) * 1e6);
  if (ns < 1e3) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${ns / 1e3}us`;
  if (ns < 1e9) return `${sign}${ns / 1e6}ms`;
  const hours = Math.floor(ns / 3600e9);
  const minutes = Math.floor((ns % 3600e9) / 60e9);
  const seconds = (ns % 60e9) / 1e9;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  if (minutes > 0) return `${sign}${minutes}m${seconds}s`;
  return `${sign}${seconds}s`;
}
