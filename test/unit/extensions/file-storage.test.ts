import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { QueueClient, QueueObserver } from '../../../src/component/storage.js';
import { queueStorage } from '../../../src/component/storage.js';
import { fileStorageConfig } from '../../../src/extensions/file_storage/config.js';
import { fileStorageExtension } from '../../../src/extensions/file_storage/factory.js';
import { queueDirectoryName } from '../../../src/queue-log/layout.js';
import { lockQueue } from '../../../src/queue-log/queue-lock.js';
import { batchOf, testSettings } from '../../helpers/batches.js';
import { testHost } from '../../helpers/host.js';

const CLIENT: QueueClient = { kind: 'exporter', id: 'otlp', signal: 'traces' };
const OBSERVER: QueueObserver = {
  lost: (_tally, why) => {
    throw new Error(why);
  },
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kindling-storage-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function start(config: Record<string, unknown>) {
  const host = testHost();
  const settings = testSettings({ kind: 'extension', id: 'file_storage' });
  const extension = fileStorageExtension.create(settings, fileStorageConfig().parse(config));
  await extension.start(host);
  return { extension, storage: queueStorage(host, 'file_storage') };
}

describe('file_storage', () => {
  it('gives each client a directory with a Collector-like name, and finds its data again', async () => {
    const directory = join(root, 'new', 'deep');
    const one = await start({ directory, create_directory: true });
    const queue = await one.storage.openQueue(CLIENT, OBSERVER);
    await queue.append(batchOf(3));
    await one.extension.shutdown(AbortSignal.abort());
    expect(readdirSync(directory)).toEqual(['exporter_otlp__traces.queue']);
    const two = await start({ directory });
    const again = await two.storage.openQueue(CLIENT, OBSERVER);
    expect((await again.take())?.batch.itemCount).toBe(3);
    const other = await two.storage.openQueue({ ...CLIENT, signal: 'logs' }, OBSERVER);
    expect(await other.take()).toBeUndefined();
    await two.extension.shutdown(AbortSignal.abort());
  });

  it('writes names of ids so that they are file names', () => {
    expect(queueDirectoryName({ ...CLIENT, id: 'otlp_http/a b/ü' })).toBe(
      'exporter_otlp_http_a~0020b~002F~00FC_traces.queue',
    );
  });

  it('hands a queue over within a process, as a reload does', async () => {
    const { extension, storage } = await start({ directory: root });
    const former = await storage.openQueue(CLIENT, OBSERVER);
    await former.append(batchOf(2));
    let isOpen = false;
    const next = storage.openQueue(CLIENT, OBSERVER).then((queue) => {
      isOpen = true;
      return queue;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOpen).toBe(false);
    await former.append(batchOf(1));
    await former.close();
    expect((await next).recovery.waiting.items).toBe(3);
    await extension.shutdown(AbortSignal.abort());
  });

  it('waits only so long for itself', async () => {
    const lock = await lockQueue(root);
    await expect(lockQueue(root, 30)).rejects.toThrow('is being written by another process');
    await lock.release();
  });

  it('leaves the files of a Collector alone', async () => {
    writeFileSync(join(root, 'exporter_otlp__traces'), 'bbolt');
    const { extension, storage } = await start({ directory: root });
    await (await storage.openQueue(CLIENT, OBSERVER)).append(batchOf(1));
    await extension.shutdown(AbortSignal.abort());
    expect(readdirSync(root).sort()).toEqual(['exporter_otlp__traces', 'exporter_otlp__traces.queue']);
  });
});

describe('settings', () => {
  const messages = (config: Record<string, unknown>): string[] =>
    fileStorageConfig()
      .safeParse(config)
      .error?.issues.map(({ message }) => message) ?? [];

  it('have the sentences of the Collector for directories', () => {
    const missing = join(root, 'missing');
    expect(messages({ directory: missing })).toEqual([
      `directory must exist: stat ${missing}: no such file or directory. You can enable the create_directory option to automatically create it`,
    ]);
    expect(messages({ directory: missing, create_directory: true })).toEqual([]);
    const file = join(root, 'file');
    writeFileSync(file, '');
    expect(messages({ directory: file })).toEqual([`${file} is not a directory`]);
  });

  it('have defaults that keep data', () => {
    mkdirSync(join(root, 'queue'));
    expect(fileStorageConfig().parse({ directory: root })).toMatchObject({
      fsync: true,
      create_directory: false,
      directory_permissions: '0750',
      segment_size: 16 * 2 ** 20,
      recreate: false,
      timeout: 1000,
    });
    expect(messages({ directory: root, directory_permissions: 'rwx' })).toEqual([
      'directory_permissions should be a valid octal: "rwx"',
    ]);
    expect(messages({ directory: root, segment_size: '1KiB' })).toEqual([
      '`segment_size` must be from 4KiB to 1GiB',
    ]);
  });
});
