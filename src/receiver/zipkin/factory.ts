import { defineReceiver } from '../../component/factory.js';
import { zipkinReceiverConfig } from './config.js';
import { ZipkinReceiver } from './zipkin.js';

export const zipkinReceiver = defineReceiver({
  type: 'zipkin',
  stability: 'beta',
  description: 'Receives spans from Zipkin clients: v2 JSON and protobuf, v1 JSON and Thrift.',
  signals: ['traces'],
  config: zipkinReceiverConfig,
  create: (settings, config, next) => new ZipkinReceiver(settings, config, next),
});
