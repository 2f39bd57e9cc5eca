import { defineReceiver } from '../../component/factory.js';
import { replayConfig } from './config.js';
import { ReplayReceiver } from './replay.js';

export const replayReceiver = defineReceiver({
  type: 'replay',
  stability: 'development',
  description:
    'Runs the observer on a recording, or the protocols on a capture, instead of the kernel; needs no privileges.',
  signals: ['traces', 'metrics'],
  config: replayConfig,
  create: (settings, config, next) => new ReplayReceiver(settings, config, next),
});
