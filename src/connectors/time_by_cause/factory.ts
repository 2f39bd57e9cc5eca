import { defineConnector } from '../../component/factory.js';
import { timeByCauseConfig } from './config.js';
import { TimeByCause } from './time-by-cause.js';

export const timeByCauseConnector = defineConnector({
  type: 'time_by_cause',
  stability: 'development',
  description: 'Histograms of where requests spend their time, by service, endpoint and cause.',
  routes: [{ from: 'traces', to: 'metrics' }],
  config: timeByCauseConfig,
  create: (settings, config, _from, next) => new TimeByCause(settings, config, next),
});
