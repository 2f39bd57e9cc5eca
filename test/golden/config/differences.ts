/** Where Kindling answers otherwise than a Collector, and why. */
import type { RecordedAnswer } from './answers.js';

interface Difference extends Partial<RecordedAnswer> {
  readonly because: string;
}

export const DIFFERENCES: Readonly<Record<string, Difference>> = {};

/** Lists of what would have been right differ between programs and come in no order. */
export const comparable = (lines: readonly string[]): string[] =>
  lines.map((line) =>
    line
      .replace(/\(valid values: \[.*\]\)/, '(valid values: [])')
      .replace(/valid gates: \[.*\]/, 'valid gates: []')
      .replaceAll('otelcol', 'kindling'),
  );
