/**
 * How to draw: width, characters and colours. Colour never carries meaning alone: every class also has a letter and a
 * word, so that a pipe, a log file and a colour-blind reader lose nothing.
 */
import type { TimeClass } from '../observer/types.js';

export interface Style {
  /** Columns to use. */
  readonly width: number;
  readonly color: boolean;
  /** UTF-8 can be printed. */
  readonly unicode: boolean;
}

/** What the decision depends on, so that tests can choose it. */
export interface OutputTraits {
  readonly isTty: boolean;
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const DEFAULT_WIDTH = 100;
const MIN_WIDTH = 60;
/** Longer lines are hard to follow, however wide the window is. */
const MAX_WIDTH = 140;

/** The style for an output: colours on a terminal without NO_COLOR (https://no-color.org), UTF-8 by the locale. */
export const detectStyle = ({ isTty, columns, env }: OutputTraits): Style => {
  const asked = Number(env.COLUMNS);
  const width =
    (isTty ? columns : undefined) ?? (Number.isInteger(asked) && asked > 0 ? asked : DEFAULT_WIDTH);
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return {
    width: Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, width)),
    color: isTty && !env.NO_COLOR && env.TERM !== 'dumb',
    unicode: /utf-?8/i.test(locale),
  };
};

interface ClassStyle {
  readonly label: string;
  /** In timelines. */
  readonly letter: string;
  /** xterm 256-colour number, readable on dark and on light ground. */
  readonly color: number;
}

export const CLASS_STYLES: Readonly<Record<TimeClass, ClassStyle>> = {
  cpu: { label: 'on-CPU', letter: 'C', color: 160 },
  runqueue: { label: 'run queue', letter: 'Q', color: 168 },
  lock: { label: 'lock', letter: 'L', color: 31 },
  net: { label: 'net', letter: 'N', color: 172 },
  disk: { label: 'disk', letter: 'D', color: 97 },
  sleep: { label: 'sleep', letter: 'S', color: 64 },
  ipc: { label: 'ipc', letter: 'P', color: 30 },
  idle: { label: 'idle', letter: 'i', color: 67 },
  other: { label: 'other', letter: 'o', color: 102 },
  unattributed: { label: 'unattributed', letter: '.', color: 102 },
};

/** Longest of the labels. */
export const LABEL_WIDTH = Math.max(...Object.values(CLASS_STYLES).map((style) => style.label.length));

export const bold = (style: Style, text: string): string =>
  style.color ? `\u001b[1m${text}\u001b[22m` : text;
export const dim = (style: Style, text: string): string =>
  style.color ? `\u001b[2m${text}\u001b[22m` : text;
export const red = (style: Style, text: string): string =>
  style.color ? `\u001b[31m${text}\u001b[39m` : text;
export const inClassColor = (style: Style, timeClass: TimeClass, text: string): string =>
  style.color ? `\u001b[38;5;${CLASS_STYLES[timeClass].color}m${text}\u001b[39m` : text;

const EIGHTHS = ['', '\u258f', '\u258e', '\u258d', '\u258c', '\u258b', '\u258a', '\u2589', '\u2588'];

/** A bar of `share` (0 to 1) of `width` columns, not padded. Anything above zero can be seen. */
export const bar = (style: Style, share: number, width: number): string => {
  const length = Math.min(1, Math.max(0, share)) * width;
  if (!style.unicode) return '#'.repeat(share > 0 ? Math.max(1, Math.round(length)) : 0);
  const eighths = share > 0 ? Math.max(1, Math.round(length * 8)) : 0;
  return '\u2588'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
};

/** Characters of a tree and of texts. */
export const glyphs = (style: Style) =>
  style.unicode
    ? {
        branch: '\u251c ',
        last: '\u2514 ',
        through: '\u2502 ',
        gap: '  ',
        here: '\u25c0',
        arrow: '\u203a',
        dots: '\u2026',
        line: '\u2500',
        times: '\u00d7',
      }
    : {
        branch: '|- ',
        last: '`- ',
        through: '|  ',
        gap: '   ',
        here: '<-',
        arrow: '>',
        dots: '...',
        line: '-',
        times: 'x',
      };
