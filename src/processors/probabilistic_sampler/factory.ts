import { defineProcessor } from '../../component/factory.js';
import { MapProcessor } from '../../pipeline/map-processor.js';
import { probabilisticSamplerConfig } from './config.js';
import { samplerMapper } from './probabilistic-sampler.js';

export const probabilisticSamplerProcessor = defineProcessor({
  type: 'probabilistic_sampler',
  stability: 'beta',
  description: 'Keeps a part of the traces or log records, the same part everywhere.',
  signals: ['traces', 'logs'],
  config: probabilisticSamplerConfig,
  create: (settings, config, signal, next) =>
    // One of `signals`.
    new MapProcessor(settings, next, samplerMapper(settings, config, signal as 'traces' | 'logs')),
});
