/** `docs/metrics.md`, from the declarations. */
import type { MetricDefinition } from './definition.js';

/** A metric as the page shows it. */
export interface ShownMetric extends MetricDefinition {
  readonly attributes?: readonly string[];
  readonly stability?: string;
}

export interface MetricSection {
  readonly title: string;
  readonly text: readonly string[];
  readonly metrics: readonly ShownMetric[];
}

const MARKS = { begin: '<!-- metrics -->', end: '<!-- /metrics -->' } as const;

/** `page` with the tables between its marks. Throws when it has no marks. */
export function metricsPage(page: string, sections: readonly MetricSection[]): string {
  const begin = page.indexOf(MARKS.begin);
  const end = page.indexOf(MARKS.end);
  if (begin < 0 || end < begin) throw new Error(`docs/metrics.md needs ${MARKS.begin} and ${MARKS.end}.`);
  const tables = sections.map(sectionText).join('\n');
  return `${page.slice(0, begin + MARKS.begin.length)}\n\n${tables}\n${page.slice(end)}`;
}

function sectionText({ title, text, metrics }: MetricSection): string {
  const hasAttributes = metrics.some(({ attributes }) => attributes !== undefined);
  const rows = metrics.map(({ name, kind, unit, attributes, description, stability }) => [
    `\`${name}\`${stability === undefined ? '' : ` (${stability.replace('_', ' ')})`}`,
    kind.replaceAll('_', ' '),
    unit === '' ? '' : `\`${unit}\``,
    ...(hasAttributes ? [(attributes ?? []).map((key) => `\`${key}\``).join(', ')] : []),
    description,
  ]);
  const head = ['Metric', 'Kind', 'Unit', ...(hasAttributes ? ['Attributes'] : []), 'What it says'];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [`### ${title}`, '', ...text, ...(text.length > 0 ? [''] : []), ...lines, ''].join('\n');
}
