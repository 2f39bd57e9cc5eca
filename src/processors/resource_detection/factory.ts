import { defineProcessor } from '../../component/factory.js';
import { resourceDetectionConfig } from './config.js';
import { thisMachine } from './machine.js';
import { ResourceDetection } from './resource-detection.js';

export const resourceDetectionProcessor = defineProcessor({
  type: 'resource_detection',
  aliases: ['resourcedetection'],
  stability: 'beta',
  description: 'Writes on every resource what is known about this machine: host, container, Kubernetes node.',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  config: resourceDetectionConfig,
  create: (settings, config, _signal, next) => new ResourceDetection(settings, config, next, thisMachine()),
});
