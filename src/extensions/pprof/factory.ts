import { defineExtension } from '../../component/factory.js';
import { pprofConfig } from './config.js';
import { Pprof } from './pprof.js';

export const pprofExtension = defineExtension({
  type: 'pprof',
  stability: 'beta',
  description: 'Serves CPU and heap profiles of the agent in the form that `go tool pprof` reads.',
  config: pprofConfig,
  create: (settings, config) => new Pprof(settings, config),
});
