import { defineReceiver } from '../../component/factory.js';
import { ebpfConfig } from './config.js';
import { EbpfReceiver } from './ebpf.js';

export const ebpfReceiver = defineReceiver({
  type: 'ebpf',
  stability: 'development',
  description: 'Observes the processes of this host from the kernel: requests, waits and stacks.',
  signals: ['traces', 'metrics'],
  config: ebpfConfig,
  create: (settings, config, next) => new EbpfReceiver(settings, config, next),
});
