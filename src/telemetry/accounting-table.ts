import type { AccountLine } from './registry.js';

const HEADINGS = ['component', 'unit', 'received', 'sent', 'dropped', 'held', 'reasons'] as const;

/** The table that the agent prints when it stops: a line for each component and unit, numbers right-aligned. */
export function accountingTable(lines: readonly AccountLine[]): string {
  const rows = lines.map((line) => {
    const { kind, id, instance } = line.component;
    const dropped = Object.values(line.dropped).reduce((sum, items) => sum + items, 0);
    const reasons = Object.entries(line.dropped).map(([reason, items]) => `${reason}=${items}`);
    if (line.unaccounted !== 0) reasons.push(`unaccounted=${line.unaccounted}`);
    return [
      `${kind} ${id}${instance === undefined ? '' : ` (${instance})`}`,
      line.unit,
      String(line.received),
      String(line.sent),
      String(dropped),
      String(line.held),
      reasons.join(' '),
    ];
  });
  const table = [[...HEADINGS], ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((cell, column) =>
          column >= 2 && column <= 5 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
