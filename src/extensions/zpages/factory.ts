import { defineExtension } from '../../component/factory.js';
import { zpagesConfig } from './config.js';
import { Zpages } from './zpages.js';

export const zpagesExtension = defineExtension({
  type: 'zpages',
  stability: 'beta',
  description:
    'Serves pages about the running agent: its pipelines, extensions and what passed through them.',
  config: zpagesConfig,
  create: (settings, config) => new Zpages(settings, config),
});
