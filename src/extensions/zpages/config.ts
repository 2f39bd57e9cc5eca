import { z } from 'zod';
import { endpoint } from '../../config/fields.js';

/** Settings of `zpages`; names and defaults are the Collector's. */
export const zpagesConfig = () =>
  z.strictObject({
    endpoint: endpoint().default('localhost:55679').describe('Address to listen on.'),
    expvar: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe('Serve memory and counters as JSON at `/debug/expvarz`.'),
      })
      .prefault({})
      .describe('For programs.'),
  });

export type ZpagesConfig = z.output<ReturnType<typeof zpagesConfig>>;
