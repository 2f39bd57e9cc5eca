import { z } from 'zod';
import { defineExporter } from '../../component/factory.js';

export const nopExporter = defineExporter({
  type: 'nop',
  stability: 'beta',
  description: 'Accepts everything and keeps nothing; for tests of the rest of a pipeline.',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  config: () => z.strictObject({}),
  create: () => ({
    async start() {},
    async consume() {},
    async shutdown() {},
  }),
});
