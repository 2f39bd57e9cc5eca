import { defineProcessor } from '../../component/factory.js';
import { MapProcessor } from '../../pipeline/map-processor.js';
import type { TransformSignal } from './compile.js';
import { transformConfig } from './config.js';
import { transformMapper } from './transform.js';

export const transformProcessor = defineProcessor({
  type: 'transform',
  stability: 'beta',
  description: 'Changes telemetry by statements of the OpenTelemetry Transformation Language (OTTL).',
  signals: ['traces', 'metrics', 'logs'],
  config: transformConfig,
  create: (settings, config, signal, next) =>
    // One of `signals`.
    new MapProcessor(settings, next, transformMapper(settings, config, signal as TransformSignal)),
});
