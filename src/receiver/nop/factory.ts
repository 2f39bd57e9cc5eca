import { z } from 'zod';
import { defineReceiver } from '../../component/factory.js';

export const nopReceiver = defineReceiver({
  type: 'nop',
  stability: 'beta',
  description: 'Receives nothing; for configurations that need a receiver and have no data yet.',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  config: () => z.strictObject({}),
  create: () => ({
    async start() {},
    async shutdown() {},
  }),
});
