import { defineProcessor } from '../../component/factory.js';
import { MapProcessor } from '../../pipeline/map-processor.js';
import { resourceConfig } from './config.js';
import { resourceMapper } from './resource.js';

export const resourceProcessor = defineProcessor({
  type: 'resource',
  stability: 'beta',
  description: 'Adds, changes and removes attributes of resources.',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  config: resourceConfig,
  create: (settings, config, _signal, next) => new MapProcessor(settings, next, resourceMapper(config)),
});
