import { defineReceiver } from '../../component/factory.js';
import { otlpReceiverConfig } from './config.js';
import { OtlpReceiver } from './otlp.js';

export const otlpReceiver = defineReceiver({
  type: 'otlp',
  stability: 'beta',
  description: 'Receives OTLP over gRPC and HTTP (protobuf and JSON) from SDKs and Collectors.',
  signals: ['traces', 'metrics', 'logs', 'profiles'],
  config: otlpReceiverConfig,
  create: (settings, config, next) => new OtlpReceiver(settings, config, next),
});
