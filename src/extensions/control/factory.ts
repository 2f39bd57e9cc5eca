import { defineExtension } from '../../component/factory.js';
import { controlConfig } from './config.js';
import { Control } from './control.js';

export const controlExtension = defineExtension({
  type: 'control',
  stability: 'alpha',
  description: 'Serves `kindling trace` (stacks of the recent past) and `kindling catch` on this machine.',
  config: controlConfig,
  create: (settings, config) => new Control(settings, config),
});
