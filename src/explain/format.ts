/** Numbers and texts the way people read them in a terminal. */

/** Three significant digits with a unit: "850 ns", "12.3 us", "4.21 ms", "1.24 s", "2 min 05 s". */
export const formatNs = (ns: number): string => {
  if (!Number.isFinite(ns) || ns <= 0) return '0 ns';
  if (ns < 999.5) return `${Math.round(ns)} ns`;
  if (ns < 999.5e3) return `${digits(ns / 1e3)} us`;
  if (ns < 999.5e6) return `${digits(ns / 1e6)} ms`;
  if (ns < 59.995e9) return `${digits(ns / 1e9)} s`;
  const seconds = Math.round(ns / 1e9);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
};

const digits = (value: number): string =>
  value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0);

/** "93 %", "4.2 %", "<0.1 %"; never "100 %" for less than that, nor "0 %" for more. */
export const formatShare = (part: number, whole: number): string => {
  if (whole <= 0 || part <= 0) return '0 %';
  const percent = (100 * part) / whole;
  if (percent < 0.1) return '<0.1 %';
  if (percent < 9.95) return `${percent.toFixed(1)} %`;
  if (percent >= 99.5 && percent < 100) return '>99 %';
  return `${Math.round(percent)} %`;
};

/** "3 s ago", "2 min ago", "5 h ago"; "now" below a second. */
export const formatAgo = (ms: number): string => {
  if (ms < 1000) return 'now';
  if (ms < 120e3) return `${Math.round(ms / 1e3)} s ago`;
  if (ms < 7200e3) return `${Math.round(ms / 60e3)} min ago`;
  return `${Math.round(ms / 3600e3)} h ago`;
};

/** "1 span", "2 spans" */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Control characters, which telemetry may carry and a terminal would obey, become "?". */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, '?');

/** The largest of `values`, however many there are (`Math.max(...)` fails beyond some ten thousand), at least `least`. */
export const largest = (values: Iterable<number>, least: number): number => {
  let most = least;
  for (const value of values) if (value > most) most = value;
  return most;
};

/** `text` in at most `width` columns; what is cut is marked by `mark` at the end. */
export const cut = (text: string, width: number, mark = '...'): string => {
  const characters = [...text];
  if (characters.length <= width) return text;
  return width <= mark.length
    ? characters.slice(0, Math.max(0, width)).join('')
    : characters.slice(0, width - mark.length).join('') + mark;
};

/** Like `cut`, but keeps the end: paths and addresses tell more there. */
export const cutStart = (text: string, width: number, mark = '...'): string => {
  const characters = [...text];
  if (characters.length <= width) return text;
  return width <= mark.length
    ? characters.slice(-Math.max(1, width)).join('')
    : mark + characters.slice(mark.length - width).join('');
};

export const padEnd = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - [...text].length));
export const padStart = (text: string, width: number): string =>
  ' '.repeat(Math.max(0, width - [...text].length)) + text;

/** A blank at which `wrap` does not break. */
export const HARD_BLANK = '\u00a0';

/**
 * Breaks `text` at blanks into lines of at most `width` columns; a longer word gets a line of its own, cut. A number
 * and its unit stay together.
 */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.replace(NUMBER_AND_UNIT, `$1${HARD_BLANK}$2`).split(' ')) {
    const piece = cut(word, width).replaceAll(HARD_BLANK, ' ');
    if (line === '') line = piece;
    else if ([...line].length + 1 + [...piece].length <= width) line += ` ${piece}`;
    else {
      lines.push(line);
      line = piece;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
};

const NUMBER_AND_UNIT = /(\d) (ns|us|ms|s|min|h|%)(?![a-z])/g;
