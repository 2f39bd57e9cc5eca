import { z } from 'zod';
import { errorMode } from '../../ottl/error-mode.js';
import { compileTransform } from './compile.js';

const statementGroup = () =>
  z.strictObject({
    context: z.string().optional(),
    conditions: z.array(z.string()).default([]),
    statements: z.array(z.string()).default([]),
    error_mode: errorMode().optional(),
  });

export type StatementGroup = z.output<ReturnType<typeof statementGroup>>;

const statementList = (contexts: string) =>
  z
    .array(z.union([z.string(), statementGroup()]))
    .default([])
    .describe(
      `OTTL statements whose paths begin with their context (${contexts}), or groups of \`context\`, \`conditions\` (one must hold), \`statements\` and \`error_mode\`.`,
    );

/** Settings of `transform`; names, defaults and sentences are the Collector's. */
export const transformConfig = () =>
  z
    .strictObject({
      error_mode: errorMode()
        .prefault('ignore')
        .describe(
          'What happens when a statement fails on data: `ignore` (logged, the next one runs), `silent` (the same without a log) or `propagate` (the batch is refused).',
        ),
      trace_statements: statementList('`span.`, `spanevent.`, `scope.`, `resource.`'),
      metric_statements: statementList('`metric.`, `datapoint.`, `scope.`, `resource.`'),
      log_statements: statementList('`log.`, `scope.`, `resource.`'),
    })
    .superRefine((config, context) => {
      for (const signal of ['traces', 'metrics', 'logs'] as const) {
        try {
          compileTransform(config, signal);
        } catch (error) {
          context.addIssue({ code: 'custom', message: (error as Error).message });
        }
      }
    });

export type TransformConfig = z.output<ReturnType<typeof transformConfig>>;
