import { defineProcessor } from '../../component/factory.js';
import { MapProcessor } from '../../pipeline/map-processor.js';
import type { FilterSignal } from './compile.js';
import { filterConfig } from './config.js';
import { filterMapper } from './filter.js';

export const filterProcessor = defineProcessor({
  type: 'filter',
  stability: 'beta',
  description: 'Drops spans, span events, metrics, data points and log records that a condition holds for.',
  signals: ['traces', 'metrics', 'logs'],
  config: filterConfig,
  create: (settings, config, signal, next) =>
    // One of `signals`.
    new MapProcessor(settings, next, filterMapper(settings, config, signal as FilterSignal)),
});
