/** Settings of the exporter `terminal`. */
import { z } from 'zod';
import { duration } from '../../config/fields.js';

export const terminalConfig = () =>
  z
    .strictObject({
      mode: z
        .enum(['auto', 'live', 'plain'])
        .default('auto')
        .describe(
          '`live` redraws in place, `plain` appends blocks of text; `auto`: live on a terminal, else plain.',
        ),
      interval: duration()
        .optional()
        .describe(
          'Time between two summaries. Default: 2s live, 10s plain. Nothing is printed when nothing changed.',
        ),
      top: z
        .int()
        .min(1)
        .max(200)
        .default(12)
        .describe('Endpoints to show, the ones that take most time first.'),
      window: duration().prefault('60s').describe('The summary is about the requests of this last time.'),
      max_endpoints: z
        .int()
        .min(1)
        .max(100_000)
        .default(200)
        .describe('Endpoints to keep apart (about 15 KB each). The others share one row.'),
      explain: z
        .enum(['first_slow', 'never'])
        .default('first_slow')
        .describe(
          'Print the first slow request in full, once: 50 ms or more, or the slowest of the first 10 s.',
        ),
    })
    .check((context) => {
      const { interval, window } = context.value;
      const problem = (path: string, message: string): void => {
        context.issues.push({ code: 'custom', path: [path], message, input: context.value });
      };
      if (interval !== undefined && interval < 100) problem('interval', 'must be at least 100ms');
      if (window < 1000) problem('window', 'must be at least 1s');
    });

export type TerminalConfig = z.output<ReturnType<typeof terminalConfig>>;
