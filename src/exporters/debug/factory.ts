import { defineExporter } from '../../component/factory.js';
import { debugConfig } from './config.js';
import { DebugExporter } from './debug.js';

export const debugExporter = defineExporter({
  type: 'debug',
  stability: 'alpha',
  description: 'Prints telemetry to the log, to standard output or to files.',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  config: debugConfig,
  create: (settings, config, signal) => new DebugExporter(settings, config, signal),
});
