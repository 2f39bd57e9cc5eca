import { defineExtension } from '../../component/factory.js';
import { fileStorageConfig } from './config.js';
import { FileStorage } from './file-storage.js';

export const fileStorageExtension = defineExtension({
  type: 'file_storage',
  stability: 'beta',
  description: 'Keeps the sending queues of exporters on disk, so that they survive a restart and a crash.',
  config: fileStorageConfig,
  create: (settings, config) => new FileStorage(settings, config),
});
