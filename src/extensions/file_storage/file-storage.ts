import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Extension, Host, Settings } from '../../component/component.js';
import {
  type DurableQueue,
  type QueueClient,
  type QueueObserver,
  type QueueStorage,
  queueStorageKey,
} from '../../component/storage.js';
import { queueDirectoryName } from '../../queue-log/layout.js';
import { NODE_FILES } from '../../queue-log/queue-files.js';
import { lockQueue } from '../../queue-log/queue-lock.js';
import { QueueLog } from '../../queue-log/queue-log.js';
import { directoryProblem, type FileStorageConfig, parseMode } from './config.js';

/** Gives queues on disk to exporters that name it in `sending_queue.storage`. */
export class FileStorage implements Extension, QueueStorage {
  readonly #settings: Settings;
  readonly #config: FileStorageConfig;
  /** A queue that its owner has not closed would keep the directory locked. */
  readonly #open = new Set<DurableQueue>();

  constructor(settings: Settings, config: FileStorageConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  /** Rejects when the directory is missing and may not be made. */
  async start(host: Host): Promise<void> {
    const { directory, create_directory: create } = this.#config;
    if (create) await mkdir(directory, { recursive: true, mode: this.#mode });
    const problem = directoryProblem(directory);
    if (problem !== undefined) throw new Error(problem);
    host.provide(queueStorageKey(this.#settings.id), this);
  }

  async openQueue(client: QueueClient, observer: QueueObserver): Promise<DurableQueue> {
    const { directory, segment_size: segmentBytes, fsync } = this.#config;
    const options = {
      files: NODE_FILES,
      segmentBytes,
      fsync,
      directoryMode: this.#mode,
      lock: lockQueue,
      now: this.#settings.now,
    };
    const queue = await QueueLog.open(join(directory, queueDirectoryName(client)), options, observer);
    this.#open.add(queue);
    return queue;
  }

  async shutdown(): Promise<void> {
    for (const queue of this.#open) await queue.close();
    this.#open.clear();
  }

  get #mode(): number {
    return parseMode(this.#config.directory_permissions) ?? 0o750;
  }
}
