import { defineReceiver } from '../../component/factory.js';
import { jaegerReceiverConfig } from './config.js';
import { JaegerReceiver } from './jaeger.js';

export const jaegerReceiver = defineReceiver({
  type: 'jaeger',
  stability: 'beta',
  description: 'Receives spans from Jaeger clients: gRPC, and Thrift over HTTP and UDP.',
  signals: ['traces'],
  config: jaegerReceiverConfig,
  create: (settings, config, next) => new JaegerReceiver(settings, config, next),
});
