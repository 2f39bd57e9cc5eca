/** Where Kindling answers otherwise than a Collector: `differences.json`, in groups that each have a reason. */
import { readFileSync } from 'node:fs';
import { parseDuration } from '../../../src/config/duration.js';
import type { RecordedAnswer } from './answers.js';

interface Group {
  readonly because: string;
  /** What Kindling says; `{}` where that is still on its way to the Collector's answer. */
  readonly cases: Readonly<Record<string, Partial<RecordedAnswer>>>;
}

const GROUPS = JSON.parse(readFileSync(new URL('differences.json', import.meta.url), 'utf8')) as readonly Group[];

/** By name of the case. */
export const DIFFERENCES: Readonly<Record<string, Partial<RecordedAnswer>>> = Object.assign(
  {},
  ...GROUPS.map(({ cases }) => cases),
);

/** Values as both programs mean them: durations in nanoseconds, a list that is not there like an empty one. */
export const comparableValue = (value: unknown): unknown => {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'string') return value;
  const ms = /^[-+]?[\d.]/.test(value) ? parseDuration(value) : undefined;
  return ms === undefined ? value : Math.round(ms * 1e6);
};

/** Lists of what would have been right differ between programs and come in no order. */
export const comparable = (lines: readonly string[]): string[] =>
  lines.map((line) =>
    line
      .replace(/\(valid values: \[.*\]\)/, '(valid values: [])')
      .replace(/valid gates: \[.*\]/, 'valid gates: []')
      .replaceAll('otelcol', 'kindling'),
  );
