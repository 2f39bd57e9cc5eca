import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PermanentError, RetryableError } from '../../../../src/component/errors.js';
import type { Batch } from '../../../../src/component/signal.js';
import { countBatch } from '../../../../src/otlp/count.js';
import { BatchProcessor } from '../../../../src/processors/batch/batch.js';
import { batchConfig } from '../../../../src/processors/batch/config.js';
import { batchOf, testSettings } from '../../../helpers/batches.js';

function create(config: Record<string, unknown> = {}) {
  const settings = testSettings({ kind: 'processor', id: 'batch', instance: 'traces' });
  const out: Batch[] = [];
  const behaviour: { consume: (batch: Batch) => Promise<void> } = { consume: async () => {} };
  const processor = new BatchProcessor(settings, batchConfig().parse(config), 'traces', {
    consume: async (batch) => {
      await behaviour.consume(batch);
      out.push(batch);
    },
  });
  const account = () => {
    const { received, sent, dropped, held, unaccounted } = settings.accounts()[0]!;
    return { received, sent, dropped, held, unaccounted };
  };
  return { settings, processor, out, behaviour, account };
}

const sizes = (batches: readonly Batch[]) =>
  batches.map((batch) => {
    expect(countBatch('traces', batch.bytes)).toBe(batch.itemCount);
    return batch.itemCount;
  });
const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('batch', () => {
  it('sends when the timeout is over, merged', async () => {
    const { processor, out, account } = create({ timeout: '200ms' });
    await processor.consume(batchOf(2));
    await processor.consume(batchOf(3));
    await vi.advanceTimersByTimeAsync(199);
    expect(out).toEqual([]);
    expect(account()).toMatchObject({ received: 5, sent: 0, held: 5, unaccounted: 0 });
    await vi.advanceTimersByTimeAsync(1);
    expect(sizes(out)).toEqual([5]);
    expect(account()).toMatchObject({ sent: 5, held: 0, unaccounted: 0 });
  });

  it('sends at once when it is full, and splits what exceeds the maximum', async () => {
    const { processor, out } = create({ send_batch_size: 4, send_batch_max_size: 5 });
    await processor.consume(batchOf(3));
    await processor.consume(batchOf(9));
    await vi.advanceTimersByTimeAsync(0);
    expect(sizes(out)).toEqual([5, 5, 2]);
  });

  it('sends each batch as it comes with timeout 0', async () => {
    const { processor, out } = create({ timeout: 0 });
    await processor.consume(batchOf(1));
    await processor.consume(batchOf(1));
    await vi.advanceTimersByTimeAsync(0);
    expect(out.length).toBeGreaterThan(0);
    expect(sizes(out).reduce((a, b) => a + b)).toBe(2);
  });

  it('keeps batches of different receivers apart, and joined ones from others', async () => {
    const { processor, out } = create();
    await processor.consume(batchOf(1, 'traces', 'otlp'));
    await processor.consume(batchOf(2, 'traces', 'ebpf'));
    await processor.consume({ ...batchOf(4, 'traces', 'ebpf'), origin: { receiver: 'ebpf', joined: true } });
    await processor.consume(batchOf(8, 'traces', 'otlp'));
    await vi.advanceTimersByTimeAsync(200);
    expect(out.map(({ origin, itemCount }) => [origin, itemCount])).toEqual([
      [{ receiver: 'otlp' }, 9],
      [{ receiver: 'ebpf' }, 2],
      [{ receiver: 'ebpf', joined: true }, 4],
    ]);
  });

  describe('with metadata_keys', () => {
    const of = (items: number, metadata: Record<string, readonly string[]>): Batch => ({
      ...batchOf(items, 'traces', 'otlp'),
      origin: { receiver: 'otlp', metadata },
    });

    it('keeps batches of other values apart, and hands on the listed headers alone', async () => {
      const { processor, out } = create({ metadata_keys: ['X-Tenant', 'region'] });
      await processor.consume(of(1, { 'x-tenant': ['a'], region: ['eu'], 'user-agent': ['one'] }));
      await processor.consume(of(2, { 'x-tenant': ['b'], region: ['eu'] }));
      await processor.consume(of(4, { region: ['eu'], 'x-tenant': ['a'], 'user-agent': ['two'] }));
      await processor.consume(of(8, { 'x-tenant': ['a', 'b'] }));
      await processor.consume(of(16, { 'x-tenant': [''] }));
      await processor.consume(of(32, {}));
      await processor.consume(batchOf(64, 'traces', 'otlp'));
      await vi.advanceTimersByTimeAsync(200);
      expect(out.map(({ itemCount, origin }) => [itemCount, origin.metadata])).toEqual([
        [5, { 'x-tenant': ['a'], region: ['eu'] }],
        [2, { 'x-tenant': ['b'], region: ['eu'] }],
        [8, { 'x-tenant': ['a', 'b'] }],
        [16, { 'x-tenant': [''] }],
        [96, {}],
      ]);
    });

    it('refuses one combination too many for good, and keeps taking the known ones', async () => {
      const { processor, out, account } = create({ metadata_keys: ['t'], metadata_cardinality_limit: 2 });
      await processor.consume(of(1, { t: ['a'] }));
      await processor.consume(of(2, { t: ['b'] }));
      await expect(processor.consume(of(4, { t: ['c'] }))).rejects.toThrow(
        new PermanentError('too many batcher metadata-value combinations'),
      );
      await processor.consume(of(8, { t: ['a'] }));
      // A combination counts once, from whatever receiver it comes.
      await processor.consume({
        ...of(16, { t: ['a'] }),
        origin: { receiver: 'other', metadata: { t: ['a'] } },
      });
      await vi.advanceTimersByTimeAsync(200);
      expect(out.map(({ itemCount }) => itemCount)).toEqual([9, 2, 16]);
      expect(account()).toEqual({
        received: 31,
        sent: 27,
        dropped: { rejected: 4 },
        held: 0,
        unaccounted: 0,
      });
    });

    it('has no limit with 0', async () => {
      const { processor, out } = create({ metadata_keys: ['t'], metadata_cardinality_limit: 0 });
      for (let tenant = 0; tenant < 20; tenant++) await processor.consume(of(1, { t: [String(tenant)] }));
      await vi.advanceTimersByTimeAsync(200);
      expect(out).toHaveLength(20);
    });
  });

  it('keeps and offers again what is refused retryably', async () => {
    const { processor, out, behaviour, account, settings } = create();
    let refusals = 2;
    behaviour.consume = async () => {
      if (refusals-- > 0) throw new RetryableError('sending queue is full');
    };
    await processor.consume(batchOf(3));
    await vi.advanceTimersByTimeAsync(1300);
    expect(out).toEqual([]);
    expect(account()).toMatchObject({ held: 3, dropped: {}, unaccounted: 0 });
    await vi.advanceTimersByTimeAsync(1000);
    expect(sizes(out)).toEqual([3]);
    expect(settings.logger.messages('warn')).toEqual(['Sender failed', 'Sender failed']);
  });

  it('makes senders wait when too much is pending, and loses none of it', async () => {
    const { processor, out, behaviour, account } = create({ max_pending_size: 10, send_batch_size: 10 });
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    behaviour.consume = () => gate;
    await processor.consume(batchOf(10));
    const accepted: number[] = [];
    const waiting = [1, 2, 3].map((n) => processor.consume(batchOf(n)).then(() => accepted.push(n)));
    await vi.advanceTimersByTimeAsync(1000);
    expect(accepted).toEqual([]);
    open();
    await vi.advanceTimersByTimeAsync(1000);
    await Promise.all(waiting);
    expect(accepted).toEqual([1, 2, 3]);
    expect(sizes(out).reduce((a, b) => a + b)).toBe(16);
    expect(account()).toMatchObject({ received: 16, sent: 16, held: 0, unaccounted: 0 });
  });

  it('drops and counts what is refused for good', async () => {
    const { processor, behaviour, account } = create({ timeout: 0 });
    behaviour.consume = async () => {
      throw new PermanentError('bad');
    };
    await processor.consume(batchOf(3));
    await vi.advanceTimersByTimeAsync(0);
    expect(account()).toEqual({ received: 3, sent: 0, dropped: { rejected: 3 }, held: 0, unaccounted: 0 });
  });

  it('answers with the result when told to wait for it', async () => {
    const { processor, behaviour, account } = create({ wait_for_result: true });
    behaviour.consume = async () => {
      throw new RetryableError('later');
    };
    const call = processor.consume(batchOf(2));
    const refused = expect(call).rejects.toThrow(new RetryableError('later'));
    await vi.advanceTimersByTimeAsync(200);
    await refused;
    expect(account()).toEqual({ received: 2, sent: 0, dropped: { refused: 2 }, held: 0, unaccounted: 0 });
  });

  it('sends the rest on shutdown, and refuses new data', async () => {
    const { processor, out, account } = create({ timeout: '1h' });
    await processor.consume(batchOf(6));
    await processor.shutdown(never);
    expect(sizes(out)).toEqual([6]);
    await expect(processor.consume(batchOf(1))).rejects.toThrow(RetryableError);
    await processor.shutdown(never);
    expect(account()).toEqual({ received: 7, sent: 6, dropped: { refused: 1 }, held: 0, unaccounted: 0 });
  });

  it('counts what it could not send by the deadline', async () => {
    const { processor, behaviour, account } = create();
    behaviour.consume = async () => {
      throw new RetryableError('down');
    };
    await processor.consume(batchOf(6));
    const deadline = new AbortController();
    const stopped = processor.shutdown(deadline.signal);
    await vi.advanceTimersByTimeAsync(500);
    deadline.abort();
    await stopped;
    expect(account()).toEqual({ received: 6, sent: 0, dropped: { shutdown: 6 }, held: 0, unaccounted: 0 });
  });

  it('does not let a batch that is not OTLP spoil the others', async () => {
    const { processor, out } = create({ send_batch_size: 3, send_batch_max_size: 3 });
    await processor.consume(batchOf(2));
    await processor.consume({ ...batchOf(5), bytes: Uint8Array.of(0x0a, 0x7f, 1) });
    await vi.advanceTimersByTimeAsync(0);
    expect(out.map(({ itemCount }) => itemCount)).toEqual([2, 5]);
  });
});
