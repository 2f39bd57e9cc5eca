import { defineReceiver } from '../../component/factory.js';
import { hostMetricsConfig } from './config.js';
import { HostMetricsReceiver } from './host-metrics.js';

export const hostMetricsReceiver = defineReceiver({
  type: 'host_metrics',
  aliases: ['hostmetrics'],
  stability: 'development',
  description: 'Reads CPU, memory, disks, network and processes of the host from /proc.',
  signals: ['metrics'],
  config: hostMetricsConfig,
  create: (settings, config, next) => new HostMetricsReceiver(settings, config, next.metrics),
});
