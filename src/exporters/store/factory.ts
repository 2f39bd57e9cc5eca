import { defineExporter } from '../../component/factory.js';
import { type StoreConfig, storeConfig } from './config.js';
import { StoreExporter } from './store.js';

export const storeExporter = defineExporter<StoreConfig>({
  type: 'store',
  signals: ['traces', 'metrics', 'logs'],
  stability: 'alpha',
  description:
    'Keeps recent telemetry in a bounded directory, which `kindling trace` and `kindling traces` read.',
  config: storeConfig,
  create: (settings, config, signal) => new StoreExporter(settings, config, signal),
});
