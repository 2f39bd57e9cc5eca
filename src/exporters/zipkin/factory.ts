import { defineExporter } from '../../component/factory.js';
import { exporterOf } from '../../pipeline/exporter-wrappers.js';
import { zipkinExporterConfig } from './config.js';
import { ZipkinSender } from './zipkin.js';

export const zipkinExporter = defineExporter({
  type: 'zipkin',
  stability: 'beta',
  description: 'Sends spans to Zipkin, as v2 JSON or protobuf.',
  signals: ['traces'],
  config: zipkinExporterConfig,
  create: (settings, config, signal) =>
    exporterOf(new ZipkinSender(settings, config), config, settings, signal),
});
