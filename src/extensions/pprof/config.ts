import { z } from 'zod';
import { endpoint } from '../../config/fields.js';

/** Settings of `pprof`. */
export const pprofConfig = () =>
  z.strictObject({
    endpoint: endpoint().default('localhost:1777').describe('Address to listen on.'),
    block_profile_fraction: z.int().default(0).describe('Accepted; there is no such profile in Node.js.'),
    mutex_profile_fraction: z.int().default(0).describe('Accepted; there is no such profile in Node.js.'),
  });

export type PprofConfig = z.output<ReturnType<typeof pprofConfig>>;
