import { z } from 'zod';
import { errorMode } from '../../ottl/error-mode.js';
import { compileFilter } from './compile.js';
import { logSettings, metricSettings, propertiesIn, spanSettings } from './properties.js';

const conditions = (what: string) =>
  z.array(z.string()).optional().describe(`OTTL conditions; ${what} for which one of them holds goes away.`);

const conditionGroup = () =>
  z.strictObject({
    context: z
      .string()
      .optional()
      .describe('What the conditions are about; else it follows from their paths.'),
    conditions: z.array(z.string()).default([]),
    error_mode: errorMode().optional(),
  });

const conditionList = (contexts: string) =>
  z
    .array(z.union([z.string(), conditionGroup()]))
    .optional()
    .describe(
      `OTTL conditions whose paths begin with their context (${contexts}), or groups of \`context\`, \`conditions\` and \`error_mode\`.`,
    );

export type ConditionGroup = z.output<ReturnType<typeof conditionGroup>>;

/** Settings of `filter`; names, defaults and sentences are the Collector's. */
export const filterConfig = () =>
  z
    .strictObject({
      error_mode: errorMode()
        .prefault('ignore')
        .describe(
          'What happens when a condition cannot be decided: `ignore` (logged, does not hold), `silent` (the same without a log) or `propagate` (the batch is refused).',
        ),
      traces: z
        .strictObject({
          resource: conditions('a resource with all its spans'),
          span: conditions('a span'),
          spanevent: conditions('an event of a span'),
        })
        .default({}),
      metrics: z
        .strictObject({
          resource: conditions('a resource with all its metrics'),
          metric: conditions('a metric'),
          datapoint: conditions('a data point'),
          ...metricSettings(),
        })
        .default({}),
      logs: z
        .strictObject({
          resource: conditions('a resource with all its records'),
          log_record: conditions('a log record'),
          ...logSettings(),
        })
        .default({}),
      spans: spanSettings(),
      trace_conditions: conditionList('`span.`, `spanevent.`, `scope.`, `resource.`'),
      metric_conditions: conditionList('`metric.`, `datapoint.`, `scope.`, `resource.`'),
      log_conditions: conditionList('`log.`, `scope.`, `resource.`'),
    })
    .superRefine((config, context) => {
      for (const signal of ['traces', 'metrics', 'logs'] as const) {
        try {
          refuseBoth(config, signal);
          compileFilter(config, signal);
        } catch (error) {
          context.addIssue({ code: 'custom', message: (error as Error).message });
        }
      }
    });

export type FilterConfig = z.output<ReturnType<typeof filterConfig>>;

/** Conditions and the settings before them exclude each other. */
function refuseBoth(config: FilterConfig, signal: 'traces' | 'metrics' | 'logs'): void {
  if (!propertiesIn(config, signal)) return;
  const { [signal]: settings } = config;
  const isSet = Object.entries(settings).some(
    ([name, value]) => name !== 'include' && name !== 'exclude' && value !== undefined,
  );
  if (!isSet) return;
  const words = {
    traces:
      '"traces.resource", "traces.span", "traces.spanevent" and the span settings "spans.include", "spans.exclude"',
    metrics:
      '"metrics.resource", "metrics.metric", "metrics.datapoint" and the settings "metrics.include", "metrics.exclude"',
    logs: '"logs.resource", "logs.log" and the settings "logs.include", "logs.exclude"',
  };
  throw new Error(`cannot use ${words[signal]} at the same time`);
}
