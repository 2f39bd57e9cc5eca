import { defineConnector } from '../../component/factory.js';
import { spanMetricsConfig } from './config.js';
import { SpanMetricsConnector } from './span-metrics.js';

export const spanMetricsConnector = defineConnector({
  type: 'span_metrics',
  aliases: ['spanmetrics'],
  stability: 'development',
  description: 'Counts and times spans: requests, errors and durations by service and operation.',
  routes: [{ from: 'traces', to: 'metrics' }],
  config: spanMetricsConfig,
  create: (settings, config, _from, next) => new SpanMetricsConnector(settings, config, next),
});
