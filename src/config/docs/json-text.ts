/** JSON with two spaces, and lists of plain values on one line: the form that the repository's formatter leaves alone. */
export function toJsonText(value: unknown): string {
  return `${format(value, '', 0)}\n`;
}

/** Width of a line in this repository. */
const LINE_WIDTH = 110;

/** `used`: characters before the value on its line, beside the indent. */
function format(value: unknown, indent: string, used: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => format(item, inner, 0));
    const line = `[${items.join(', ')}]`;
    const plain = value.every((item) => typeof item !== 'object' || item === null);
    // One more for the comma behind it.
    if (plain && indent.length + used + line.length + 1 <= LINE_WIDTH) return line;
    return `[\n${items.map((item) => inner + item).join(',\n')}\n${indent}]`;
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return '{}';
  const lines = entries.map(([key, item]) => {
    const name = `${JSON.stringify(key)}: `;
    return `${inner}${name}${format(item, inner, name.length)}`;
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}
