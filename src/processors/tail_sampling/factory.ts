import { defineProcessor } from '../../component/factory.js';
import { tailSamplingConfig } from './config.js';
import { TailSampling } from './tail-sampling.js';

export const tailSamplingProcessor = defineProcessor({
  type: 'tail_sampling',
  stability: 'beta',
  description: 'Keeps or drops whole traces by what is in them: errors, latency, attributes, rates.',
  signals: ['traces'],
  config: tailSamplingConfig,
  create: (settings, config, _signal, next) => new TailSampling(settings, config, next),
});
