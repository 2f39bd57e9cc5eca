import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { PermanentError, RetryableError } from '../../../src/component/errors.js';
import type { Batch } from '../../../src/component/signal.js';
import { deliveryFields, exporterOf, type Sender } from '../../../src/pipeline/exporter-wrappers.js';
import { batchOf, testSettings } from '../../helpers/batches.js';
import { testHost } from '../../helpers/host.js';

/** A sender that the test answers for, attempt by attempt. */
class ScriptedSender implements Sender<'traces'> {
  readonly attempts: {
    readonly batch: Batch;
    readonly abort: AbortSignal;
    settle: (error?: unknown) => void;
  }[] = [];
  script: ((batch: Batch, attempt: number) => unknown) | undefined;
  stopped = 0;

  async start(): Promise<void> {}

  send(batch: Batch, abort: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      this.attempts.push({ batch, abort, settle });
      if (this.script !== undefined) settle(this.script(batch, this.attempts.length));
    });
  }

  async shutdown(): Promise<void> {
    this.stopped++;
  }
}

function create(config: Record<string, unknown>) {
  const parsed = z.strictObject(deliveryFields()).parse(config);
  const sender = new ScriptedSender();
  const settings = testSettings();
  const exporter = exporterOf(sender, parsed, settings, 'traces');
  const account = () => {
    const line = settings.accounts()[0]!;
    return {
      received: line.received,
      sent: line.sent,
      dropped: line.dropped,
      held: line.held,
      rest: line.unaccounted,
    };
  };
  return { sender, settings, exporter, account };
}

const never = new AbortController().signal;
const flush = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('sending_queue', () => {
  it('accepts before it is sent, up to queue_size, and sends num_consumers at a time', async () => {
    const { sender, settings, exporter, account } = create({
      sending_queue: { queue_size: 3, num_consumers: 2 },
    });
    await exporter.start(testHost());
    for (let i = 0; i < 3; i++) await exporter.consume(batchOf(10));
    expect(sender.attempts).toHaveLength(2);
    await expect(exporter.consume(batchOf(7))).rejects.toThrow('sending queue is full');
    expect(account()).toEqual({ received: 37, sent: 0, dropped: { queue_full: 7 }, held: 30, rest: 0 });
    expect(settings.logger.lines.at(-1)).toMatchObject({
      level: 'error',
      message: 'Exporting failed. Rejecting data.',
      fields: { error: 'sending queue is full', rejected_items: 7 },
    });
    sender.attempts[0]!.settle();
    await flush();
    expect(sender.attempts).toHaveLength(3);
    for (const attempt of sender.attempts) attempt.settle();
    await flush();
    expect(account()).toEqual({ received: 37, sent: 30, dropped: { queue_full: 7 }, held: 0, rest: 0 });
  });

  it.each([
    ['items', 25],
    ['bytes', batchOf(10).bytes.length * 2 + 5],
  ])('counts %s when told to', async (sizer, size) => {
    const { exporter } = create({ sending_queue: { sizer, queue_size: size } });
    await exporter.consume(batchOf(10));
    await exporter.consume(batchOf(10));
    await expect(exporter.consume(batchOf(10))).rejects.toThrow('sending queue is full');
    await expect(exporter.consume(batchOf(1000))).rejects.toThrow(
      new PermanentError('element size too large'),
    );
  });

  it('makes callers wait in order with block_on_overflow', async () => {
    const { sender, exporter, account } = create({
      sending_queue: { queue_size: 1, num_consumers: 1, block_on_overflow: true },
    });
    const done: number[] = [];
    const calls = [1, 2, 3].map((n) => exporter.consume(batchOf(n)).then(() => done.push(n)));
    await flush();
    expect(done).toEqual([1]);
    sender.script = () => undefined;
    sender.attempts[0]!.settle();
    await Promise.all(calls);
    await flush();
    expect(done).toEqual([1, 2, 3]);
    expect(sender.attempts.map(({ batch }) => batch.itemCount)).toEqual([1, 2, 3]);
    expect(account()).toEqual({ received: 6, sent: 6, dropped: {}, held: 0, rest: 0 });
  });

  it('gives the result back with wait_for_result, and counts it once', async () => {
    const { sender, exporter, account } = create({ sending_queue: { wait_for_result: true } });
    sender.script = () => new PermanentError('no');
    await expect(exporter.consume(batchOf(2))).rejects.toThrow(new PermanentError('no'));
    expect(account()).toEqual({ received: 2, sent: 0, dropped: { permanent: 2 }, held: 0, rest: 0 });
  });

  it('hands the failure to the caller when it is off', async () => {
    const { sender, settings, exporter, account } = create({
      sending_queue: { enabled: false },
      retry_on_failure: { enabled: false },
    });
    sender.script = () => new RetryableError('later');
    await expect(exporter.consume(batchOf(3))).rejects.toThrow(new RetryableError('later'));
    expect(account()).toEqual({ received: 3, sent: 0, dropped: { retries_exhausted: 3 }, held: 0, rest: 0 });
    expect(settings.logger.messages('error')).toEqual([
      'Exporting failed. Rejecting data. Try enabling retry_on_failure config option to retry on retryable errors.',
    ]);
  });
});

describe('retry_on_failure', () => {
  const intervals = (settings: ReturnType<typeof testSettings>) =>
    settings.logger.lines
      .filter(({ message }) => message === 'Exporting failed. Will retry the request after interval.')
      .map(({ fields }) => fields.interval);

  it('waits longer each time, within max_interval, and gives up after max_elapsed_time', async () => {
    const { sender, settings, exporter, account } = create({
      retry_on_failure: { randomization_factor: 0, max_interval: '10s', max_elapsed_time: '40s' },
    });
    sender.script = () => new RetryableError('down');
    await exporter.consume(batchOf(4));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(intervals(settings)).toEqual(['5s', '7.5s', '10s', '10s']);
    expect(settings.logger.lines.at(-1)).toMatchObject({
      message: 'Exporting failed. Dropping data.',
      fields: { error: 'no more retries left: down', dropped_items: 4 },
    });
    expect(account()).toEqual({ received: 4, sent: 0, dropped: { retries_exhausted: 4 }, held: 0, rest: 0 });
  });

  it('waits at least as long as the other side says', async () => {
    const { sender, settings, exporter, account } = create({});
    sender.script = (_batch, attempt) =>
      attempt === 1 ? new RetryableError('throttled', { retryAfterMs: 20_000 }) : undefined;
    await exporter.consume(batchOf(1));
    await vi.advanceTimersByTimeAsync(19_000);
    expect(sender.attempts).toHaveLength(1);
    expect(intervals(settings)).toEqual(['20s']);
    await vi.advanceTimersByTimeAsync(2000);
    expect(account()).toMatchObject({ sent: 1, held: 0 });
  });

  it('drops at once what is refused for good', async () => {
    const { sender, settings, exporter, account } = create({});
    sender.script = () => new PermanentError('rpc error: code = InvalidArgument desc = bad');
    await exporter.consume(batchOf(5));
    await flush();
    expect(settings.logger.lines.at(-1)).toMatchObject({
      message: 'Exporting failed. Dropping data.',
      fields: {
        error: 'not retryable error: Permanent error: rpc error: code = InvalidArgument desc = bad',
        dropped_items: 5,
      },
    });
    expect(account()).toMatchObject({ dropped: { permanent: 5 }, held: 0, rest: 0 });
  });

  it('treats an exporter that throws anything else as a bug, with its stack, and goes on', async () => {
    const { sender, settings, exporter, account } = create({});
    sender.script = (_batch, attempt) => (attempt === 1 ? new TypeError('oops') : undefined);
    await exporter.consume(batchOf(1));
    await exporter.consume(batchOf(2));
    await flush();
    expect(String(settings.logger.lines[0]!.fields.error)).toContain('TypeError: oops\n');
    expect(account()).toEqual({ received: 3, sent: 2, dropped: { internal_error: 1 }, held: 0, rest: 0 });
  });
});

describe('timeout', () => {
  it('ends an attempt that hangs, tells it so, and tries again', async () => {
    const { sender, exporter, account } = create({
      timeout: '2s',
      retry_on_failure: { randomization_factor: 0 },
    });
    await exporter.consume(batchOf(1));
    await vi.advanceTimersByTimeAsync(2000);
    expect(sender.attempts[0]!.abort.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sender.attempts).toHaveLength(2);
    sender.attempts[1]!.settle();
    await flush();
    expect(account()).toMatchObject({ sent: 1, held: 0 });
  });

  it('is no limit when 0', async () => {
    const { sender, exporter } = create({ timeout: 0 });
    await exporter.consume(batchOf(1));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(sender.attempts[0]!.abort.aborted).toBe(false);
    sender.attempts[0]!.settle();
  });
});

describe('shutdown', () => {
  it('sends what is queued, without waiting for retry intervals', async () => {
    const { sender, exporter, account } = create({
      sending_queue: { num_consumers: 1 },
      retry_on_failure: { randomization_factor: 0, initial_interval: '25s' },
    });
    sender.script = (_batch, attempt) => (attempt <= 2 ? new RetryableError('down') : undefined);
    for (let i = 0; i < 3; i++) await exporter.consume(batchOf(1));
    await flush();
    expect(sender.attempts).toHaveLength(1);
    const stopped = exporter.shutdown(never);
    await vi.advanceTimersByTimeAsync(600);
    await stopped;
    expect(account()).toEqual({ received: 3, sent: 3, dropped: {}, held: 0, rest: 0 });
    expect(sender.stopped).toBe(1);
  });

  it('counts what is left at the deadline', async () => {
    const { settings, exporter, account } = create({ sending_queue: { num_consumers: 1 }, timeout: 0 });
    for (let i = 0; i < 3; i++) await exporter.consume(batchOf(10));
    const deadline = new AbortController();
    const stopped = exporter.shutdown(deadline.signal);
    await flush();
    deadline.abort();
    await stopped;
    expect(account()).toEqual({ received: 30, sent: 0, dropped: { shutdown: 30 }, held: 0, rest: 0 });
    expect(settings.logger.messages('error')).toEqual(Array(3).fill('Exporting failed. Dropping data.'));
  });

  it('waits for callers without a queue too, and refuses new ones', async () => {
    const { sender, exporter, account } = create({ sending_queue: { enabled: false } });
    const call = exporter.consume(batchOf(1));
    let stopped = false;
    const stopping = exporter.shutdown(never).then(() => {
      stopped = true;
    });
    await flush();
    expect(stopped).toBe(false);
    await expect(exporter.consume(batchOf(1))).rejects.toThrow(RetryableError);
    sender.attempts[0]!.settle();
    await Promise.all([call, stopping]);
    expect(account()).toEqual({ received: 2, sent: 1, dropped: { shutdown: 1 }, held: 0, rest: 0 });
  });

  it('works without start, and twice', async () => {
    const { sender, exporter } = create({});
    await Promise.all([exporter.shutdown(never), exporter.shutdown(never)]);
    expect(sender.stopped).toBe(1);
  });
});

describe('settings', () => {
  it.each([
    [{ sending_queue: { queue_size: 0 } }, '`queue_size` must be positive'],
    [{ sending_queue: { num_consumers: 0 } }, '`num_consumers` must be positive'],
    [
      { retry_on_failure: { initial_interval: '-1s' } },
      'initial_interval value must be greater than or equal to 0',
    ],
    [
      { retry_on_failure: { initial_interval: '10s', max_elapsed_time: '5s' } },
      "'max_elapsed_time' must not be less than 'initial_interval'",
    ],
  ])('%j', (config, message) => {
    const issues = z
      .strictObject(deliveryFields())
      .safeParse(config)
      .error?.issues.map((issue) => issue.message);
    expect(issues).toContain(message);
  });

  it('has the defaults of the Collector', () => {
    expect(z.strictObject(deliveryFields()).parse({})).toEqual({
      timeout: 5000,
      retry_on_failure: {
        enabled: true,
        initial_interval: 5000,
        randomization_factor: 0.5,
        multiplier: 1.5,
        max_interval: 30_000,
        max_elapsed_time: 300_000,
      },
      sending_queue: {
        enabled: true,
        num_consumers: 10,
        queue_size: 1000,
        sizer: 'requests',
        block_on_overflow: false,
        wait_for_result: false,
      },
    });
  });
});
