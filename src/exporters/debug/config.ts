/**
 * Settings of the `debug` exporter: fields, defaults and sentences of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector/tree/v0.159.0/exporter/debugexporter).
 */
import { z } from 'zod';
import { levelOf } from '../../config/fields.js';

export const debugConfig = () =>
  z
    .strictObject({
      verbosity: levelOf(['basic', 'normal', 'detailed'])
        .prefault('basic')
        .describe('`basic`: one line for each batch; `normal`: one for each span; `detailed`: everything.'),
      sampling_initial: z
        .int()
        .default(2)
        .describe('Batches to print in each second before `sampling_thereafter` applies.'),
      sampling_thereafter: z
        .int()
        .default(1)
        .describe('Of the batches after those, print every n-th; 0 prints none of them.'),
      use_internal_logger: z
        .boolean()
        .default(true)
        .describe('Print as log lines of the program. Off: print the text alone to `output_paths`.'),
      output_paths: z
        .array(z.string())
        .optional()
        .describe('`stdout`, `stderr` or files, to which is appended. Left out: `stdout`.'),
    })
    .superRefine(({ use_internal_logger, output_paths }, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (use_internal_logger && output_paths !== undefined) {
        fail('output_paths is not supported when use_internal_logger is true');
      }
      if (!use_internal_logger && output_paths?.length === 0) {
        fail('output_paths must not be empty when use_internal_logger is false');
      }
    });

export type DebugConfig = z.output<ReturnType<typeof debugConfig>>;
