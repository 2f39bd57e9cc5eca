import { defineExporter } from '../../component/factory.js';
import { prometheusConfig } from './config.js';
import { PrometheusExporter } from './prometheus.js';

export const prometheusExporter = defineExporter({
  type: 'prometheus',
  stability: 'development',
  description: 'Serves metrics to be scraped, as text or OpenMetrics with exemplars.',
  signals: ['metrics'],
  config: prometheusConfig,
  create: (settings, config) => new PrometheusExporter(settings, config),
});
