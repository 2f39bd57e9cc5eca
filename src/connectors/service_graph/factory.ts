import { defineConnector } from '../../component/factory.js';
import { serviceGraphConfig } from './config.js';
import { ServiceGraphConnector } from './service-graph.js';

export const serviceGraphConnector = defineConnector({
  type: 'service_graph',
  aliases: ['servicegraph'],
  stability: 'development',
  description: 'Draws the map of services from spans: who calls whom, how often, how long.',
  routes: [{ from: 'traces', to: 'metrics' }],
  config: serviceGraphConfig,
  create: (settings, config, _from, next) => new ServiceGraphConnector(settings, config, next),
});
