import { z } from 'zod';
import { defineConnector } from '../../component/factory.js';

const SIGNALS = ['traces', 'metrics', 'logs', 'profiles'] as const;

export const forwardConnector = defineConnector({
  type: 'forward',
  stability: 'beta',
  description: 'Joins pipelines of one signal: what ends in one begins in the others.',
  routes: SIGNALS.map((signal) => ({ from: signal, to: signal })),
  config: () => z.strictObject({}),
  create: (_settings, _config, _from, next) => ({
    async start() {},
    consume: (batch) => next.consume(batch),
    async shutdown() {},
  }),
});
