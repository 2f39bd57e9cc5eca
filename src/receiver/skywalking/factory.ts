import { defineReceiver } from '../../component/factory.js';
import { skywalkingReceiverConfig } from './config.js';
import { SkywalkingReceiver } from './skywalking.js';

export const skywalkingReceiver = defineReceiver({
  type: 'skywalking',
  stability: 'beta',
  description: 'Receives segments, metrics and logs from SkyWalking agents over gRPC and HTTP.',
  signals: ['traces', 'metrics', 'logs'],
  config: skywalkingReceiverConfig,
  create: (settings, config, next) => new SkywalkingReceiver(settings, config, next),
});
