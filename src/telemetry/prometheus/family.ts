/** One metric of a Prometheus page, and how it is written (https://prometheus.io/docs/instrumenting/exposition_formats/). */

export interface Point {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix?: string;
}

export interface Family {
  /** Without the suffix of its type. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** What the value counts, where the name doesn't say: it is appended when the reader wants units. */
  readonly unit?: 'seconds' | 'bytes';
  readonly points: readonly Point[];
}

export interface NamingOptions {
  /** `_total` behind counters. */
  readonly typeSuffix: boolean;
  readonly unitSuffix: boolean;
}

/** The page, families in order of their names. */
export function renderFamilies(families: readonly Family[], naming: NamingOptions): string {
  return families
    .filter(({ points }) => points.length > 0)
    .map((family) => ({ family, name: nameOf(family, naming) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ family, name }) => renderFamily(family, name))
    .join('');
}

function nameOf({ name, type, unit }: Family, { typeSuffix, unitSuffix }: NamingOptions): string {
  const withUnit = unitSuffix && unit !== undefined && !name.endsWith(`_${unit}`) ? `${name}_${unit}` : name;
  return typeSuffix && type === 'counter' && !withUnit.endsWith('_total') ? `${withUnit}_total` : withUnit;
}

function renderFamily({ type, help, points }: Family, name: string): string {
  const lines = points.map(
    ({ labels, value, suffix = '' }) => `${name}${suffix}${labelText(labels)} ${valueText(value)}\n`,
  );
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

/** An empty value means the same as no label. */
function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
