import { defineExtension } from '../../component/factory.js';
import { controlConfig } from './config.js';
import { Control } from './control.js';

export const controlExtension = defineExtension({
  type: 'control',
  stability: 'alpha',
  description:
    'Answers questions of `kindling` commands on this machine about the recent past of threads, and lets them catch spans.',
  config: controlConfig,
  create: (settings, config) => new Control(settings, config),
});
