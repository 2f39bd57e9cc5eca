import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Host, ServiceKey, Settings } from '../../../../src/component/component.js';
import { PermanentError, RetryableError } from '../../../../src/component/errors.js';
import type { Batch } from '../../../../src/component/signal.js';
import type { JoinConfig, SpanEdit } from '../../../../src/observer/join-types.js';
import {
  JOIN_CONFIG_KEY,
  OBSERVER_KEY,
  type ObserverService,
} from '../../../../src/observer/observer-service.js';
import { spansOf } from '../../../../src/otlp/trace-view.js';
import { encodeSpanFields, TracesWriter } from '../../../../src/otlp/trace-writer.js';
import { traceProfilingConfig } from '../../../../src/processors/trace_profiling/config.js';
import { TraceProfiling } from '../../../../src/processors/trace_profiling/trace-profiling.js';
import { NOP_LOGGER } from '../../../../src/telemetry/logger.js';
import { NOP_METRICS } from '../../../../src/telemetry/metrics.js';

function batchOf(name: string, joined = false): Batch<'traces'> {
  const writer = new TracesWriter();
  writer.resource({ 'service.name': 'shop' });
  writer.scope('test');
  writer.span({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    name,
    startTime: { hi: 400_000_000, lo: 0 },
    endTime: { hi: 400_000_000, lo: 1_000 },
  });
  const origin = joined ? { receiver: 'ebpf', joined } : { receiver: 'otlp' };
  return { signal: 'traces', bytes: writer.finish(), itemCount: 1, origin };
}

class FakeHost implements Host {
  readonly services = new Map<string, unknown>();
  provide<T>(key: ServiceKey<T>, service: T): void {
    if (this.services.has(key.name)) throw new Error(`${key.name} is taken`);
    this.services.set(key.name, service);
  }
  service<T>(key: ServiceKey<T>): T | undefined {
    return this.services.get(key.name) as T | undefined;
  }
  reportFatal(): void {}
  requestStop(): void {}
}

interface Setup {
  readonly processor: TraceProfiling;
  readonly host: FakeHost;
  readonly forwarded: Batch[];
  readonly counts: Record<string, number>;
  readonly warnings: string[];
}

async function setUp(
  options: Record<string, unknown> = {},
  next?: (batch: Batch) => Promise<void>,
): Promise<Setup> {
  const forwarded: Batch[] = [];
  const counts: Record<string, number> = {};
  const warnings: string[] = [];
  const add = (name: string, value: number): void => {
    counts[name] = (counts[name] ?? 0) + value;
  };
  const settings: Settings = {
    id: 'trace_profiling',
    logger: { ...NOP_LOGGER, warn: (message) => warnings.push(message) },
    metrics: {
      ...NOP_METRICS,
      received: (_signal, items) => add('received', items),
      sent: (_signal, items) => add('sent', items),
      dropped: (_signal, items, reason) => add(`dropped_${reason}`, items),
      held: (_signal, items) => {
        counts.held = items;
      },
      count: (name, value, labels) => add(labels === undefined ? name : `${name}_${labels.reason}`, value),
    },
    now: () => 0,
  };
  const processor = new TraceProfiling(
    settings,
    traceProfilingConfig().parse({ acknowledge: 'forwarded', ...options }),
    {
      consume: async (batch) => {
        if (next !== undefined) await next(batch);
        forwarded.push(batch);
      },
    },
  );
  const host = new FakeHost();
  await processor.start(host);
  return { processor, host, forwarded, counts, warnings };
}

const provide = (host: FakeHost, join: ObserverService['join']): void => host.provide(OBSERVER_KEY, { join });
const never = (): Promise<readonly SpanEdit[]> => new Promise(() => {});

describe('TraceProfiling', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('publishes the limits of the join before receivers start', async () => {
    const { host } = await setUp({ hold: '1s', max_events: 20 });
    const config = host.service(JOIN_CONFIG_KEY) as JoinConfig;
    expect(config).toMatchObject({ holdMs: 1000, maxEvents: 20, apmWaitMs: 6000, windowMs: 60_000 });
  });

  it('appends what the observer tells to the right span', async () => {
    const { processor, host, forwarded, counts } = await setUp();
    const batch = batchOf('GET /');
    provide(host, async (bytes) => [
      { offset: spansOf(bytes)[0]!.start, fields: encodeSpanFields({ attributes: { told: 1 } }) },
    ]);
    await processor.consume(batch);
    const span = spansOf(forwarded[0]!.bytes)[0]!;
    expect(span.name).toBe('GET /');
    expect(span.attribute('told')).toBe(1);
    expect(forwarded[0]!.origin.joined).toBe(true);
    expect(counts).toEqual({ received: 1, sent: 1, held: 0, spans_joined: 1 });
  });

  it('passes on the very batch when there is nothing to add', async () => {
    const { processor, host, forwarded } = await setUp();
    provide(host, async () => []);
    const batch = batchOf('GET /');
    await processor.consume(batch);
    expect(forwarded[0]).toBe(batch);
  });

  it('does not ask about spans that are joined already', async () => {
    const { processor, host, forwarded } = await setUp();
    const join = vi.fn(never);
    provide(host, join);
    const batch = batchOf('GET /', true);
    await processor.consume(batch);
    expect(forwarded).toEqual([batch]);
    expect(join).not.toHaveBeenCalled();
  });

  it('warns once when nobody observes the kernel', async () => {
    const { processor, forwarded, counts, warnings } = await setUp();
    await processor.consume(batchOf('a'));
    await processor.consume(batchOf('b'));
    expect(forwarded).toHaveLength(2);
    expect(warnings).toHaveLength(1);
    expect(counts.spans_unjoined_no_observer).toBe(2);
  });

  it('passes a batch on unjoined when the observer is late', async () => {
    const { processor, host, forwarded, counts } = await setUp({ hold: '2s' });
    provide(host, never);
    const consumed = processor.consume(batchOf('GET /'));
    await vi.advanceTimersByTimeAsync(2_999);
    expect(forwarded).toHaveLength(0);
    expect(counts.held).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await consumed;
    expect(forwarded).toHaveLength(1);
    expect(counts).toEqual({ received: 1, sent: 1, held: 0, spans_unjoined_observer_timeout: 1 });
  });

  it('passes the oldest on unjoined when too much is held', async () => {
    const size = batchOf('1').bytes.length;
    const { processor, host, forwarded, counts } = await setUp({ max_held_bytes: 2 * size });
    provide(host, never);
    const consumed = ['1', '2', '3'].map((name) => processor.consume(batchOf(name)));
    await consumed[0];
    expect(forwarded.map(({ bytes }) => spansOf(bytes)[0]!.name)).toEqual(['1']);
    expect(counts.spans_unjoined_hold_budget).toBe(1);
    await processor.shutdown(new AbortController().signal);
    await Promise.all(consumed);
    expect(counts.sent).toBe(3);
    expect(counts.spans_unjoined_shutdown).toBe(2);
  });

  it('passes on what is held when the program stops', async () => {
    const { processor, host, forwarded } = await setUp();
    provide(host, never);
    const consumed = processor.consume(batchOf('GET /'));
    await processor.shutdown(new AbortController().signal);
    await consumed;
    expect(forwarded).toHaveLength(1);
    await processor.shutdown(new AbortController().signal);
  });

  it('gives up at the deadline of the shutdown', async () => {
    const { processor, host } = await setUp({}, never as unknown as () => Promise<void>);
    provide(host, async () => []);
    void processor.consume(batchOf('GET /'));
    const deadline = new AbortController();
    const stopped = processor.shutdown(deadline.signal);
    deadline.abort();
    await stopped;
  });

  it('hands a refusal back to the sender and counts it', async () => {
    const { processor, host, counts } = await setUp({}, async () => {
      throw new PermanentError('no');
    });
    provide(host, async () => []);
    await expect(processor.consume(batchOf('GET /'))).rejects.toThrow('no');
    expect(counts).toMatchObject({ received: 1, dropped_rejected: 1, held: 0 });
  });

  describe('that acknowledges what it has received', () => {
    const RECEIVED = { acknowledge: 'received' };

    it('answers the sender while it holds the batch', async () => {
      const { processor, host, forwarded, counts } = await setUp(RECEIVED);
      let answer = (_edits: readonly SpanEdit[]): void => {};
      provide(host, () => new Promise((resolve) => (answer = resolve)));
      await processor.consume(batchOf('GET /'));
      expect(forwarded).toHaveLength(0);
      expect(counts.held).toBe(1);
      answer([]);
      await vi.advanceTimersByTimeAsync(0);
      expect(forwarded).toHaveLength(1);
      expect(counts).toMatchObject({ received: 1, sent: 1, held: 0 });
    });

    it('offers a refused batch until it is taken', async () => {
      let refusals = 3;
      const { processor, host, forwarded, counts } = await setUp(RECEIVED, async () => {
        if (refusals-- > 0) throw new RetryableError('full');
      });
      provide(host, async () => []);
      await processor.consume(batchOf('GET /'));
      await vi.advanceTimersByTimeAsync(100 + 200 + 400);
      expect(forwarded).toHaveLength(1);
      expect(counts).toEqual({ received: 1, sent: 1, held: 0, spans_joined: 0 });
    });

    it('refuses new batches when those that nobody takes fill its memory', async () => {
      const size = batchOf('1').bytes.length;
      const { processor, host, counts } = await setUp({ ...RECEIVED, max_held_bytes: 2 * size }, async () => {
        throw new RetryableError('full');
      });
      provide(host, async () => []);
      for (const name of ['1', '2']) {
        await processor.consume(batchOf(name));
        await vi.advanceTimersByTimeAsync(0);
      }
      await expect(processor.consume(batchOf('3'))).rejects.toThrow(RetryableError);
      const stopped = processor.shutdown(AbortSignal.abort());
      await vi.advanceTimersByTimeAsync(0);
      await stopped;
      expect(counts).toMatchObject({ received: 2, held: 0, dropped_shutdown: 2 });
    });

    it('counts what is refused for good', async () => {
      const { processor, host, counts } = await setUp(RECEIVED, async () => {
        throw new PermanentError('no');
      });
      provide(host, async () => []);
      await processor.consume(batchOf('GET /'));
      await vi.advanceTimersByTimeAsync(0);
      expect(counts).toMatchObject({ received: 1, dropped_rejected: 1, held: 0 });
    });
  });

  it('survives edits that fit no span', async () => {
    const { processor, host, forwarded, counts, warnings } = await setUp();
    provide(host, async () => [{ offset: 3, fields: new Uint8Array([1]) }]);
    const batch = batchOf('GET /');
    await processor.consume(batch);
    expect(forwarded).toEqual([batch]);
    expect(counts.spans_unjoined_unreadable).toBe(1);
    expect(warnings).toHaveLength(1);
  });

  it('works without start and stops without it', async () => {
    const processor = new TraceProfiling(
      { id: 'x', logger: NOP_LOGGER, metrics: NOP_METRICS, now: () => 0 },
      traceProfilingConfig().parse({}),
      { consume: async () => {} },
    );
    await processor.shutdown(new AbortController().signal);
  });
});
