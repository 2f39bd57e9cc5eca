/** The table of endpoints as text. */
import { cut, formatNs, padEnd, padStart, printable } from '../../explain/format.js';
import { bold, CLASS_STYLES, dim, glyphs, inClassColor, red, type Style } from '../../explain/style.js';
import type { EndpointRow } from './endpoint-table.js';

export interface SummaryHead {
  /** Seconds since the exporter started. */
  readonly upSeconds: number;
  readonly windowSeconds: number;
}

const NUMBER_WIDTH = 8;
const BAR_WIDTH = 20;

/** A head and at most `top` rows, without line ends; no line is wider than the style. */
export const renderSummary = (
  rows: readonly EndpointRow[],
  head: SummaryHead,
  top: number,
  style: Style,
): string[] => {
  const requests = rows.reduce((sum, row) => sum + row.perSecond, 0);
  const errors = rows.reduce((sum, row) => sum + row.errors, 0);
  const title = `${bold(style, 'kindling')}  ${requests.toFixed(1)} requests/s  ${errors} errors`;
  const when = `last ${Math.min(head.upSeconds, head.windowSeconds).toFixed(0)} s`;
  if (rows.length === 0) return [`${title}  ${dim(style, `${when}: no requests seen yet`)}`];
  const shown = rows.slice(0, top);
  const serviceWidth = columnWidth(
    'service',
    shown.map((row) => row.service),
    14,
  );
  const endpointWidth = columnWidth(
    'endpoint',
    shown.map((row) => row.endpoint),
    Math.max(18, Math.floor(style.width * 0.26)),
  );
  const fixed = serviceWidth + endpointWidth + 6 + 6 + 3 * NUMBER_WIDTH + 7 * 2;
  const causeWidth = Math.max(10, style.width - fixed);
  const lines = shown.map((row) => renderRow(row, serviceWidth, endpointWidth, causeWidth, style));
  const columns = [
    padEnd('service', serviceWidth),
    padEnd('endpoint', endpointWidth),
    padStart('req/s', 6),
    padStart('errors', 6),
    ...['p50', 'p95', 'p99'].map((name) => padStart(name, NUMBER_WIDTH)),
    'time went to',
  ];
  return [
    `${title}  ${dim(style, when)}`,
    dim(style, columns.join('  ')),
    ...lines,
    ...(rows.length > top ? [dim(style, `${rows.length - top} more endpoints`)] : []),
  ];
};

const columnWidth = (head: string, texts: readonly string[], most: number): number =>
  Math.min(most, Math.max(head.length, ...texts.map((text) => [...text].length)));

const renderRow = (
  row: EndpointRow,
  serviceWidth: number,
  endpointWidth: number,
  causeWidth: number,
  style: Style,
): string => {
  const { dots } = glyphs(style);
  const errors =
    row.errors === 0
      ? '-'
      : `${((100 * row.errors) / row.count).toFixed(row.errors * 10 < row.count ? 1 : 0)} %`;
  const errorCell = padStart(errors, 6);
  return [
    padEnd(cut(printable(row.service), serviceWidth, dots), serviceWidth),
    padEnd(cut(printable(row.endpoint), endpointWidth, dots), endpointWidth),
    padStart(row.perSecond >= 100 ? row.perSecond.toFixed(0) : row.perSecond.toFixed(1), 6),
    row.errors === 0 ? dim(style, errorCell) : red(style, errorCell),
    ...[row.p50Ns, row.p95Ns, row.p99Ns].map((ns) => padStart(formatNs(ns), NUMBER_WIDTH)),
    renderCauses(row, causeWidth, style),
  ].join('  ');
};

/** A stacked bar of letters when there is room, and the largest shares in words. */
const renderCauses = (row: EndpointRow, width: number, style: Style): string => {
  if (row.shares.length === 0) return dim(style, cut('not joined', width));
  const withBar = width >= BAR_WIDTH + 2 + 18;
  let room = withBar ? width - BAR_WIDTH - 2 : width;
  const words: string[] = [];
  for (const { timeClass, share } of row.shares) {
    const percent = Math.round(share * 100);
    const word = `${percent}% ${CLASS_STYLES[timeClass].label}`;
    if (percent < 1 || word.length > room) break;
    words.push(inClassColor(style, timeClass, word));
    room -= word.length + 2;
  }
  const text = words.join('  ');
  return withBar ? `${stackedBar(row, style)}  ${text}` : text;
};

/** Largest remainders, so that the letters add up to the width. */
const stackedBar = (row: EndpointRow, style: Style): string => {
  const exact = row.shares.map(({ timeClass, share }) => ({ timeClass, cells: share * BAR_WIDTH }));
  const cells = exact.map(({ cells: value }) => Math.floor(value));
  let missing = BAR_WIDTH - cells.reduce((sum, value) => sum + value, 0);
  const byRemainder = exact.map((_, i) => i).sort((a, b) => (exact[b]!.cells % 1) - (exact[a]!.cells % 1));
  for (const i of byRemainder) {
    if (missing <= 0) break;
    cells[i] = (cells[i] ?? 0) + 1;
    missing -= 1;
  }
  return exact
    .map(({ timeClass }, i) =>
      inClassColor(style, timeClass, CLASS_STYLES[timeClass].letter.repeat(cells[i] ?? 0)),
    )
    .join('');
};
