import { defineExporter } from '../../component/factory.js';
import { fileConfig } from './config.js';
import { FileExporter } from './file.js';

export const fileExporter = defineExporter({
  type: 'file',
  stability: 'alpha',
  description: 'Writes OTLP, as JSON lines or protobuf, to files, with rotation.',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  config: fileConfig,
  create: (settings, config, signal) => new FileExporter(settings, config, signal),
});
