import { FeatureGates } from '../config/feature-gates.js';
import { type Command, EXIT_OK } from './command.js';
import { parsePlainOptions } from './options.js';

/** `kindling featuregate [ID]`: all gates as a table, or one of them. The forms are the Collector's. */
export const featuregateCommand: Command = async (args, io) => {
  const { positionals } = parsePlainOptions(args, {}, { atMost: 1 });
  const gates = new FeatureGates();
  const [id] = positionals;
  if (id === undefined) {
    const rows = gates.all.map((gate) => [
      gate.id,
      String(gates.isEnabled(gate.id)),
      capitalized(gate.stage),
      gate.description,
    ]);
    io.out(tabulated([['ID', 'Enabled', 'Stage', 'Description'], ...rows]));
    return EXIT_OK;
  }
  const gate = gates.all.find((one) => one.id === id);
  if (gate === undefined) throw new Error(`feature ${JSON.stringify(id)} not found`);
  const lines = [
    `Feature: ${gate.id}`,
    `Enabled: ${gates.isEnabled(gate.id)}`,
    `Stage: ${capitalized(gate.stage)}`,
    `Description: ${gate.description}`,
    `From Version: ${gate.from}`,
    ...(gate.to === undefined ? [] : [`To Version: ${gate.to}`]),
  ];
  io.out(`${lines.join('\n')}\n`);
  return EXIT_OK;
};

/** Columns as wide as their widest cell and two spaces; the last one is not filled up. */
function tabulated(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column]! + 2)))
      .join('');
  return `${rows.map(line).join('\n')}\n`;
}

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
