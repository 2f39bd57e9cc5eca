import { defineProcessor } from '../../component/factory.js';
import { MapProcessor } from '../../pipeline/map-processor.js';
import { attributesMapper } from './attributes.js';
import { attributesConfig } from './config.js';

export const attributesProcessor = defineProcessor({
  type: 'attributes',
  stability: 'beta',
  description: 'Adds, changes and removes attributes of spans, data points and log records.',
  signals: ['traces', 'metrics', 'logs'],
  config: attributesConfig,
  create: (settings, config, signal, next) =>
    new MapProcessor(settings, next, attributesMapper(config, signal)),
});
