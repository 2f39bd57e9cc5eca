import type { MetricsRegistry } from '../registry.js';
import { collectorFamilies, type MetricsLevel } from './collector-families.js';
import { type NamingOptions, renderFamilies } from './family.js';
import { ownFamilies } from './own-families.js';
import { processFamilies } from './process-families.js';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

/** The text of `/metrics`. `target` are the attributes of the agent as a resource. */
export function metricsPage(
  registry: MetricsRegistry,
  level: MetricsLevel,
  naming: NamingOptions,
  target: Readonly<Record<string, string>>,
): string {
  const snapshot = registry.snapshot();
  const labels = Object.fromEntries(
    Object.entries(target).map(([key, value]) => [key.replaceAll(/[^A-Za-z0-9_]/g, '_'), value]),
  );
  return renderFamilies(
    [
      ...collectorFamilies(snapshot, level),
      ...processFamilies(),
      ...ownFamilies(snapshot),
      { name: 'target_info', type: 'gauge', help: 'Target metadata', points: [{ labels, value: 1 }] },
      {
        name: 'promhttp_metric_handler_errors_total',
        type: 'counter',
        help: 'Errors while this page was made.',
        points: ['encoding', 'gathering'].map((cause) => ({ labels: { cause }, value: 0 })),
      },
    ],
    naming,
  );
}
