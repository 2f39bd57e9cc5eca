import { defineProcessor } from '../../component/factory.js';
import { traceProfilingConfig } from './config.js';
import { TraceProfiling } from './trace-profiling.js';

export const traceProfilingProcessor = defineProcessor({
  type: 'trace_profiling',
  stability: 'alpha',
  description: "Writes on each span what its threads did: where its time went, by the kernel's account.",
  signals: ['traces'],
  config: traceProfilingConfig,
  create: (settings, config, _signal, next) => new TraceProfiling(settings, config, next),
});
