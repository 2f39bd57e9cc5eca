import { defineExtension } from '../../component/factory.js';
import { healthCheckConfig } from './config.js';
import { HealthCheck } from './health-check.js';

export const healthCheckExtension = defineExtension({
  type: 'health_check',
  aliases: ['healthcheckv2'],
  stability: 'beta',
  description: 'Tells probes whether the agent and its pipelines are well.',
  config: healthCheckConfig,
  create: (settings, config) =>
    new HealthCheck(settings, {
      ...config,
      use_v2: config.use_v2 || settings.id.startsWith('healthcheckv2'),
    }),
});
