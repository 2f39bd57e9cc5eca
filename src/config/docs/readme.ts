/** The generated parts of READMEs: a component's table of options, the project's table of components. */
import type { AnyFactory } from '../../component/factory.js';
import { inputSchema, type JsonSchema } from './json-schema.js';

const BEGIN = '<!-- config -->';
const END = '<!-- /config -->';

/** `readme` with a fresh table; a README is begun where there is none, and markers are added at the end if missing. */
export function componentReadme(factory: AnyFactory, readme: string | undefined): string {
  const block = `${BEGIN}\n\n${optionTable(factory)}\n\n${END}`;
  if (readme === undefined) {
    return `# ${factory.type}\n\n${factory.description}\n\n## Options\n\n${block}\n`;
  }
  const begin = readme.indexOf(BEGIN);
  if (begin < 0) return `${readme.trimEnd()}\n\n## Options\n\n${block}\n`;
  const end = readme.indexOf(END, begin);
  const rest = end < 0 ? readme.slice(begin + BEGIN.length) : readme.slice(end + END.length);
  return readme.slice(0, begin) + block + rest;
}

const COMPONENTS_BEGIN = '<!-- components -->';
const COMPONENTS_END = '<!-- /components -->';

/** The project's README with a fresh table of components between its markers; unchanged without them. */
export function componentsReadme(
  factories: readonly AnyFactory[],
  readme: string,
  folderOf: (factory: AnyFactory) => string,
): string {
  const begin = readme.indexOf(COMPONENTS_BEGIN);
  const end = readme.indexOf(COMPONENTS_END);
  if (begin < 0 || end < begin) return readme;
  const rows = factories.map((factory) => [
    factory.kind,
    `[\`${factory.type}\`](${folderOf(factory)})`,
    factory.stability,
    escapeCell(factory.description),
  ]);
  const table = alignedTable([['Kind', 'Component', 'Stability', 'What it does'], ...rows]);
  return `${readme.slice(0, begin)}${COMPONENTS_BEGIN}\n\n${table}\n\n${readme.slice(end)}`;
}

function optionTable(factory: AnyFactory): string {
  const rows = optionRows(inputSchema(factory.config()), '');
  if (rows.length === 0) return 'No options.';
  return alignedTable([
    ['Option', 'Type', 'Default', 'Meaning'],
    ...rows.map((cells) => cells.map(escapeCell)),
  ]);
}

/** Columns of equal width: the form that the repository's formatter leaves alone. */
function alignedTable([heading = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = heading.map((_, column) =>
    Math.max(3, ...[heading, ...rows].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(heading), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** One row per option; the options of a section follow it with its name before theirs. */
function optionRows(schema: JsonSchema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, option]) => {
    const name = prefix + key;
    const inner = optionRows(option, `${name}.`);
    const required = schema.required?.includes(key) === true && option.default === undefined;
    const fallback = required ? 'required' : inner.length > 0 ? '' : defaultOf(option);
    if (inner.length > 0 && option.description === undefined) return inner;
    return [[`\`${name}\``, typeOf(option), fallback, option.description ?? ''], ...inner];
  });
}

function defaultOf({ default: value }: JsonSchema): string {
  if (value === undefined) return '';
  return `\`${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}\``;
}

function typeOf(schema: JsonSchema): string {
  if (typeof schema['x-unit'] === 'string') return schema['x-unit'];
  if (schema.enum !== undefined)
    return schema.enum.map((value) => (value === '' ? '`""`' : `\`${String(value)}\``)).join(', ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (schema.type === 'array')
    return `list of ${schema.items === undefined ? 'values' : typeOf(schema.items)}`;
  if (schema.type === 'object') return schema.properties === undefined ? 'map' : 'section';
  return Array.isArray(schema.type) ? schema.type.join(' or ') : String(schema.type ?? 'any');
}

const escapeCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
