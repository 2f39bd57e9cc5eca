import { defineProcessor } from '../../component/factory.js';
import { BatchProcessor } from './batch.js';
import { batchConfig } from './config.js';

export const batchProcessor = defineProcessor({
  type: 'batch',
  stability: 'beta',
  description: 'Puts small batches together, for fewer and better compressed requests.',
  // Not profiles: their samples point into a dictionary that each batch has for itself.
  signals: ['traces', 'metrics', 'logs'],
  config: batchConfig,
  create: (settings, config, signal, next) => new BatchProcessor(settings, config, signal, next),
});
