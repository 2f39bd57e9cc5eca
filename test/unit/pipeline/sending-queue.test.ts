import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PermanentError, RetryableError } from '../../../src/component/errors.js';
import type { Batch } from '../../../src/component/signal.js';
import { queueStorageKey } from '../../../src/component/storage.js';
import { countBatch } from '../../../src/otlp/count.js';
import { deliveryFields, exporterOf, type Sender } from '../../../src/pipeline/exporter-wrappers.js';
import { MEMORY_BUDGET } from '../../../src/pipeline/memory-budget.js';
import { QueueLog } from '../../../src/queue-log/queue-log.js';
import { ByteBudget } from '../../../src/transport/byte-budget.js';
import { batchOf, type TestSettings, testSettings } from '../../helpers/batches.js';
import { testHost } from '../../helpers/host.js';
import { until } from '../../helpers/pipeline.js';
import { CrashingDisk, errno } from '../../helpers/queue/crashing-disk.js';

type Answer = (batch: Batch) => Error | undefined | Promise<Error | undefined>;

/** An exporter whose peer is `answer`, with a queue on `disk` where one is given. */
async function start(
  config: Record<string, unknown>,
  {
    disk,
    budget,
    answer = () => undefined,
    settings = testSettings(),
  }: { disk?: CrashingDisk; budget?: ByteBudget; answer?: Answer; settings?: TestSettings } = {},
) {
  const sent: Batch[] = [];
  const sender: Sender<'traces'> = {
    start: async () => {},
    shutdown: async () => {},
    send: async (batch) => {
      const error = await answer(batch);
      if (error !== undefined) throw error;
      sent.push(batch);
    },
  };
  const host = testHost();
  if (budget !== undefined) host.provide(MEMORY_BUDGET, budget);
  if (disk !== undefined) {
    host.provide(queueStorageKey('file_storage'), {
      openQueue: (_client, observer) =>
        QueueLog.open(
          '/queue',
          {
            files: disk,
            segmentBytes: 4096,
            fsync: true,
            directoryMode: 0o750,
            lock: async () => ({ release: async () => {} }),
            now: Date.now,
          },
          observer,
        ),
    });
  }
  const parsed = z.strictObject(deliveryFields()).parse(config);
  const exporter = exporterOf(sender, parsed, settings, 'traces');
  await exporter.start(host);
  const account = () => {
    const { received, sent, dropped, held, unaccounted } = settings.accounts()[0]!;
    return { received, sent, dropped, held, unaccounted };
  };
  const items = () => sent.map(({ itemCount }) => itemCount);
  return { exporter, settings, sent, items, account };
}

const never = new AbortController().signal;
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
const own = <T extends { exporter: { shutdown(deadline: AbortSignal): Promise<void> } }>(started: T): T => {
  stops.push(() => started.exporter.shutdown(AbortSignal.abort()));
  return started;
};

describe('batch', () => {
  const queue = (batch: object, rest: object = {}) => ({ sending_queue: { batch, ...rest } });

  it('puts batches together up to min_size, and gives each caller its place back', async () => {
    const { exporter, items, sent, account } = own(
      await start(queue({ min_size: 10, flush_timeout: '1h' }, { queue_size: 4 })),
    );
    for (const n of [3, 3, 3]) await exporter.consume(batchOf(n));
    expect(items()).toEqual([]);
    await exporter.consume(batchOf(3));
    await until(() => sent.length === 1);
    expect(items()).toEqual([12]);
    expect(countBatch('traces', sent[0]!.bytes)).toBe(12);
    await until(() => account().held === 0);
    expect(account()).toEqual({ received: 12, sent: 12, dropped: {}, held: 0, unaccounted: 0 });
  });

  it('sends what there is after flush_timeout', async () => {
    const { exporter, sent, items } = own(await start(queue({ min_size: 10, flush_timeout: '5ms' })));
    await exporter.consume(batchOf(3));
    await exporter.consume(batchOf(4));
    await expect.poll(() => sent.length).toBe(1);
    expect(items()).toEqual([7]);
  });

  it('cuts at max_size, and the rest waits for more', async () => {
    const { exporter, sent, items, account } = own(
      await start(queue({ min_size: 5, max_size: 5, flush_timeout: '1h' })),
    );
    await exporter.consume(batchOf(12));
    await until(() => sent.length === 2);
    expect(items()).toEqual([5, 5]);
    await until(() => account().held === 2);
    expect(account()).toMatchObject({ received: 12, sent: 10 });
    await exporter.consume(batchOf(3));
    await until(() => sent.length === 3);
    expect(items()).toEqual([5, 5, 5]);
    await until(() => account().held === 0);
    expect(account()).toEqual({ received: 15, sent: 15, dropped: {}, held: 0, unaccounted: 0 });
  });

  it('counts bytes when the queue does', async () => {
    const one = batchOf(4).bytes.length;
    const { exporter, sent, items } = own(
      await start(
        queue({ min_size: 2 * one, flush_timeout: '1h' }, { sizer: 'bytes', queue_size: 10 * one }),
      ),
    );
    await exporter.consume(batchOf(4));
    await exporter.consume(batchOf(4));
    await until(() => sent.length === 1);
    expect(items()).toEqual([8]);
  });

  it('keeps receivers and listed headers apart', async () => {
    const { exporter, sent } = own(
      await start(queue({ min_size: 4, flush_timeout: '1h', partition: { metadata_keys: ['Tenant'] } })),
    );
    const from = (receiver: string, tenant: string): Batch<'traces'> => ({
      ...batchOf(2),
      origin: { receiver, metadata: { tenant: [tenant] } },
    });
    for (const [receiver, tenant] of [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
    ] as const) {
      await exporter.consume(from(receiver, tenant));
    }
    await until(() => sent.length === 3);
    expect(
      sent.map(({ origin, itemCount }) => [origin.receiver, origin.metadata?.tenant, itemCount]),
    ).toEqual([
      ['a', ['1'], 4],
      ['b', ['1'], 4],
      ['a', ['2'], 4],
    ]);
  });

  it('gives the result of its part to each caller that waits for it', async () => {
    let calls = 0;
    const { exporter, account } = own(
      await start(queue({ min_size: 5, max_size: 5, flush_timeout: '1h' }, { wait_for_result: true }), {
        answer: () => (++calls === 1 ? new PermanentError('first part refused') : undefined),
      }),
    );
    const results = await Promise.allSettled([3, 2, 5].map((n) => exporter.consume(batchOf(n))));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(account()).toEqual({ received: 10, sent: 5, dropped: { permanent: 5 }, held: 0, unaccounted: 0 });
  });

  it('is sent at once on shutdown', async () => {
    const { exporter, items, account } = await start(queue({ min_size: 100, flush_timeout: '1h' }));
    await exporter.consume(batchOf(3));
    await exporter.shutdown(never);
    expect(items()).toEqual([3]);
    expect(account()).toMatchObject({ sent: 3, held: 0 });
  });

  it('sends no more than num_consumers at a time', async () => {
    let open = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const { exporter, sent } = own(
      await start(queue({ min_size: 1, flush_timeout: '1h' }, { num_consumers: 2 }), {
        answer: async () => {
          most = Math.max(most, ++open);
          await new Promise<void>((go) => gates.push(go));
          open--;
          return undefined;
        },
      }),
    );
    for (let n = 0; n < 6; n++) await exporter.consume(batchOf(1));
    for (let n = 0; n < 6; n++) {
      await until(() => gates.length > 0);
      gates.shift()?.();
    }
    await until(() => sent.length === 6);
    expect(most).toBe(2);
  });
});

describe('storage', () => {
  const stored = (rest: object = {}) => ({
    retry_on_failure: { initial_interval: '1ms', max_interval: '1ms', randomization_factor: 0 },
    sending_queue: { storage: 'file_storage', ...rest },
  });
  const down = () => new RetryableError('down');

  it('says so when there is no such extension', async () => {
    await expect(start(stored())).rejects.toThrow('no storage client extension found');
  });

  it('keeps what was not sent over a restart, and counts it once', async () => {
    const disk = new CrashingDisk();
    const first = await start(stored(), { disk, answer: down });
    for (const n of [1, 2, 3]) await first.exporter.consume(batchOf(n));
    await first.exporter.shutdown(never);
    expect(first.account()).toEqual({ received: 6, sent: 0, dropped: {}, held: 6, unaccounted: 0 });
    expect(first.settings.logger.messages('error')).toEqual([]);

    const second = own(await start(stored(), { disk }));
    await until(() => second.sent.length === 3);
    expect(second.items().sort()).toEqual([1, 2, 3]);
    await until(() => second.account().held === 0);
    expect(second.account()).toEqual({ received: 6, sent: 6, dropped: {}, held: 0, unaccounted: 0 });
    await second.exporter.shutdown(never);
    expect(disk.names()).toEqual([]);
  });

  it('is counted once when the exporter is restarted within the process', async () => {
    const disk = new CrashingDisk();
    const first = await start(stored(), { disk, answer: down });
    await first.exporter.consume(batchOf(4));
    await first.exporter.shutdown(never);
    const second = own(await start(stored(), { disk, settings: first.settings }));
    await second.exporter.consume(batchOf(1));
    await until(() => second.account().held === 0);
    expect(second.account()).toEqual({ received: 5, sent: 5, dropped: {}, held: 0, unaccounted: 0 });
  });

  it('does not wait for a dead backend when it stops', async () => {
    const disk = new CrashingDisk();
    const { exporter } = await start(
      { ...stored(), retry_on_failure: { initial_interval: '1h', max_interval: '1h', max_elapsed_time: 0 } },
      { disk, answer: down },
    );
    await exporter.consume(batchOf(1));
    await exporter.shutdown(never);
    expect(disk.names().some((name) => name.endsWith('.kq'))).toBe(true);
  });

  it('keeps what was collected for a batch', async () => {
    const disk = new CrashingDisk();
    const batch = { min_size: 100, flush_timeout: '1h' };
    const first = await start(stored({ batch }), { disk });
    await first.exporter.consume(batchOf(7));
    await first.exporter.shutdown(never);
    expect(first.items()).toEqual([]);
    const second = own(await start(stored({ batch: { min_size: 7, flush_timeout: '1h' } }), { disk }));
    await until(() => second.sent.length === 1);
    expect(second.items()).toEqual([7]);
  });

  it('drops what is refused for good, also from the disk', async () => {
    const disk = new CrashingDisk();
    const { exporter, account } = await start(stored(), { disk, answer: () => new PermanentError('no') });
    await exporter.consume(batchOf(4));
    await until(() => account().held === 0);
    await exporter.shutdown(never);
    expect(account()).toEqual({ received: 4, sent: 0, dropped: { permanent: 4 }, held: 0, unaccounted: 0 });
    expect(disk.names()).toEqual([]);
  });

  it.each([
    ['requests', 3],
    ['items', 30],
    ['bytes', 3 * batchOf(10).bytes.length],
  ])('counts %s, also what a former run left', async (sizer, size) => {
    const disk = new CrashingDisk();
    const config = stored({ sizer, queue_size: size });
    const first = await start(config, { disk, answer: down });
    for (let n = 0; n < 3; n++) await first.exporter.consume(batchOf(10));
    await expect(first.exporter.consume(batchOf(10))).rejects.toThrow('sending queue is full');
    await first.exporter.shutdown(never);
    const second = own(await start(config, { disk, answer: down }));
    await expect(second.exporter.consume(batchOf(10))).rejects.toThrow('sending queue is full');
    expect(second.account()).toEqual({
      received: 40,
      sent: 0,
      dropped: { queue_full: 10 },
      held: 30,
      unaccounted: 0,
    });
  });

  it('refuses while the disk is full, and goes on', async () => {
    const disk = new CrashingDisk();
    const { exporter, sent, account } = own(await start(stored(), { disk }));
    disk.fail = (operation) => (operation === 'write' ? errno('ENOSPC') : undefined);
    const refused = await exporter.consume(batchOf(2)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RetryableError);
    expect(String(refused)).toContain('ENOSPC');
    disk.fail = () => undefined;
    await exporter.consume(batchOf(3));
    await until(() => sent.length === 1);
    await until(() => account().held === 0);
    expect(account()).toEqual({
      received: 5,
      sent: 3,
      dropped: { storage_failed: 2 },
      held: 0,
      unaccounted: 0,
    });
  });

  it('counts what damage cost', async () => {
    const disk = new CrashingDisk();
    const first = await start(stored(), { disk, answer: down });
    for (const n of [1, 2, 3]) await first.exporter.consume(batchOf(n));
    await first.exporter.shutdown(never);
    const name = disk.names().find((one) => one.endsWith('.kq'))!;
    const bytes = Buffer.from(disk.content(name));
    bytes[bytes.length - 1]! ^= 1;
    disk.replace(name, bytes);
    const second = own(await start(stored(), { disk }));
    await until(() => second.account().held === 0);
    expect(second.account()).toEqual({
      received: 6,
      sent: 3,
      dropped: { storage_lost: 3 },
      held: 0,
      unaccounted: 0,
    });
    expect(second.settings.logger.messages('error')).toEqual([
      'The persistent queue is damaged. Delivering what can be read.',
    ]);
  });
});

describe('memory budget', () => {
  it('is shared by queues, refuses retryably, and is given back', async () => {
    const bytes = batchOf(10).bytes.length;
    const budget = new ByteBudget(2.5 * bytes);
    const gates: (() => void)[] = [];
    const answer = () => new Promise<undefined>((go) => gates.push(() => go(undefined)));
    const one = own(await start({}, { budget, answer }));
    const two = own(await start({}, { budget, answer }));
    await one.exporter.consume(batchOf(10));
    await two.exporter.consume(batchOf(10));
    const refused = await one.exporter.consume(batchOf(10)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RetryableError);
    expect(refused).toMatchObject({ message: 'data refused due to high memory usage' });
    expect(one.account()).toMatchObject({ dropped: { memory_budget: 10 }, held: 10, unaccounted: 0 });
    for (const go of gates.splice(0)) go();
    await until(() => budget.usedBytes === 0);
    await one.exporter.consume(batchOf(10));
    await expect(two.exporter.consume(batchOf(100))).rejects.toThrow(PermanentError);
    for (const go of gates.splice(0)) go();
  });

  it('does not count what is on disk', async () => {
    const bytes = batchOf(10).bytes.length;
    const budget = new ByteBudget(1.5 * bytes);
    const { exporter } = own(
      await start(
        { sending_queue: { storage: 'file_storage' } },
        { budget, disk: new CrashingDisk(), answer: () => new RetryableError('down') },
      ),
    );
    for (let n = 0; n < 5; n++) await exporter.consume(batchOf(10));
    expect(budget.usedBytes).toBe(0);
    expect(budget.peakBytes).toBe(bytes);
  });
});

describe('settings', () => {
  it.each([
    [{ batch: { sizer: 'requests' } }, '`batch` supports only `items` or `bytes` sizer, found "requests"'],
    [
      { batch: { min_size: 100, max_size: 10 } },
      '`max_size` (10) must be greater or equal to `min_size` (100)',
    ],
    [{ batch: { flush_timeout: 0 } }, '`flush_timeout` must be positive'],
    [{ batch: { min_size: -1 } }, '`min_size` must be non-negative'],
    [{ sizer: 'items', queue_size: 10, batch: {} }, '`min_size` must be less than or equal to `queue_size`'],
    [
      { batch: { partition: { metadata_keys: ['a', 'A'] } } },
      'duplicate entry in metadata_keys: "a" (case-insensitive)',
    ],
    [
      { storage: 'file_storage', wait_for_result: true },
      '`wait_for_result` is not supported with a persistent queue configured with `storage`',
    ],
    [{ sizer: 'foo' }, 'invalid sizer: "foo"'],
  ])('%j', (sending_queue, message) => {
    const { error } = z.strictObject(deliveryFields()).safeParse({ sending_queue });
    expect(error?.issues.map((issue) => issue.message)).toContain(message);
  });

  it('fills in the defaults of a batch', () => {
    const { sending_queue: queue } = z.strictObject(deliveryFields()).parse({ sending_queue: { batch: {} } });
    expect(queue.batch).toEqual({
      flush_timeout: 200,
      min_size: 8192,
      max_size: 0,
      partition: { metadata_keys: [] },
    });
    expect(
      z.strictObject(deliveryFields()).parse({ sending_queue: { batch: null } }).sending_queue.batch,
    ).toBeNull();
  });
});
