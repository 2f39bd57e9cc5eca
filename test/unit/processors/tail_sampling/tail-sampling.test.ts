import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../../src/component/errors.js';
import { decodeSpans } from '../../../../src/otlp/decode.js';
import { type SpanInput, TracesWriter } from '../../../../src/otlp/trace-writer.js';
import { tailSamplingConfig } from '../../../../src/processors/tail_sampling/config.js';
import { TailSampling } from '../../../../src/processors/tail_sampling/tail-sampling.js';
import { testSettings } from '../../../helpers/batches.js';
import { batchOf } from '../../../helpers/otlp/exporter-harness.js';
import { Sink } from '../../../helpers/otlp/receiver-harness.js';
import { until } from '../../../helpers/pipeline.js';

const never = new AbortController().signal;
const ALL = { name: 'all', type: 'always_sample' };

function create(config: Record<string, unknown>) {
  const clock = { ms: 1_000_000 };
  const settings = testSettings(
    { kind: 'processor', id: 'tail_sampling', instance: 'traces' },
    () => clock.ms,
  );
  const sink = new Sink();
  const processor = new TailSampling(settings, tailSamplingConfig().parse(config), sink);
  const account = () => settings.accounts()[0];
  const names = () => sink.batches.flatMap(({ bytes }) => decodeSpans(bytes).map(({ name }) => name));
  const send = (...spans: Partial<SpanInput>[]) => processor.consume(batchOf('traces', request(spans)));
  const wait = (ms: number) => {
    clock.ms += ms;
    processor.tick();
  };
  return { settings, sink, processor, account, names, send, wait };
}

const id = (number: number) => number.toString(16).padStart(32, '0');

function request(spans: readonly Partial<SpanInput>[]): Uint8Array {
  const writer = new TracesWriter();
  writer.resource({ 'service.name': 'shop', tier: 'gold' });
  writer.scope('test');
  for (const [index, span] of spans.entries()) {
    writer.span({
      traceId: id(1),
      spanId: (index + 1).toString(16).padStart(16, '0'),
      name: `s${index}`,
      startTime: { hi: 1, lo: 0 },
      endTime: { hi: 1, lo: 5_000_000 },
      ...span,
    });
  }
  return writer.finish();
}

describe('tail_sampling', () => {
  it('decides about a trace as a whole, when its time has come', async () => {
    const { names, send, wait, account } = create({
      decision_wait: '10s',
      policies: [{ name: 'errors', type: 'status_code', status_code: { status_codes: ['ERROR'] } }],
    });
    await send({ name: 'a1' }, { name: 'b1', traceId: id(2) });
    wait(9_000);
    await send({ name: 'a2', status: { code: 2 } });
    expect(names()).toEqual([]);
    expect(account()).toMatchObject({ received: 3, held: 3, unaccounted: 0 });
    wait(1_000);
    await until(() => names().length === 2);
    expect(names()).toEqual(['a1', 'a2']);
    expect(account()).toMatchObject({
      received: 3,
      sent: 2,
      dropped: { not_sampled: 1 },
      held: 0,
      unaccounted: 0,
    });
  });

  it('lets late spans share the fate of their trace', async () => {
    const { names, send, wait, account } = create({
      decision_wait: '1s',
      policies: [{ name: 'slow', type: 'latency', latency: { threshold_ms: 4 } }],
    });
    await send({ name: 'slow' }, { name: 'fast', traceId: id(2), endTime: { hi: 1, lo: 0 } });
    wait(1_000);
    await send({ name: 'late' }, { name: 'late too', traceId: id(2) });
    await until(() => names().length === 2);
    expect(names()).toEqual(['slow', 'late']);
    expect(account()).toMatchObject({ sent: 2, dropped: { not_sampled: 2 }, unaccounted: 0, held: 0 });
  });

  it('remembers decisions beyond the traces it remembers when given a cache', async () => {
    const { names, send, wait } = create({
      decision_wait: '1s',
      num_traces: 1,
      decision_cache: { sampled_cache_size: 10 },
      policies: [{ name: 'vip', type: 'boolean_attribute', boolean_attribute: { key: 'vip', value: true } }],
    });
    await send({ name: 'vip', attributes: { vip: true } });
    wait(1_000);
    await send({ name: 'other', traceId: id(2) });
    await send({ name: 'late' });
    await until(() => names().length === 2);
    expect(names()).toEqual(['vip', 'late']);
  });

  it('decides the oldest traces early when there are too many or they are too big', async () => {
    const many = create({ num_traces: 2, policies: [ALL] });
    await many.send({ name: 'a' });
    await many.send({ name: 'b', traceId: id(2) });
    await many.send({ name: 'c', traceId: id(3) });
    await until(() => many.names().length === 1);
    expect(many.names()).toEqual(['a']);
    const big = create({ max_held_bytes: 500, policies: [ALL] });
    await big.send({ name: 'x'.repeat(200) });
    await big.send({ name: 'y'.repeat(200), traceId: id(2) });
    await until(() => big.account()?.held === 1);
    expect(big.account()).toMatchObject({ received: 2, sent: 1, held: 1, unaccounted: 0 });
  });

  it('on shutdown decides about all that it holds, and refuses new data', async () => {
    const { names, send, processor, account } = create({ policies: [ALL] });
    await send({ name: 'a' });
    await processor.shutdown(never);
    expect(names()).toEqual(['a']);
    await expect(send({ name: 'b' })).rejects.toThrow(RetryableError);
    await processor.shutdown(never);
    expect(account()).toMatchObject({
      received: 2,
      sent: 1,
      dropped: { refused: 1 },
      held: 0,
      unaccounted: 0,
    });
  });

  it('drops and counts on shutdown what is undecided, when told to', async () => {
    const { names, send, wait, processor, account } = create({
      decision_wait: '10s',
      drop_pending_traces_on_shutdown: true,
      policies: [ALL],
    });
    await send({ name: 'decided' });
    wait(10_000);
    await send({ name: 'pending', traceId: id(2) }, { name: 'pending too', traceId: id(3) });
    await processor.shutdown(never);
    expect(names()).toEqual(['decided']);
    expect(account()).toMatchObject({
      received: 3,
      sent: 1,
      dropped: { shutdown: 2 },
      held: 0,
      unaccounted: 0,
    });
  });

  it('decides earlier about a trace whose root span has come', async () => {
    const { names, send, wait } = create({
      decision_wait: '30s',
      decision_wait_after_root_received: '5s',
      policies: [ALL],
    });
    const child = { parentSpanId: '0102030405060708' };
    await send({ name: 'a child', ...child }, { name: 'b child', traceId: id(2), ...child });
    wait(10_000);
    await send({ name: 'a root' });
    wait(4_000);
    // A second root does not make it later.
    await send({ name: 'a root again', parentSpanId: '' });
    expect(names()).toEqual([]);
    wait(1_000);
    await until(() => names().length === 3);
    expect(names()).toEqual(['a child', 'a root', 'a root again']);
    await send({ name: 'c root', traceId: id(3) });
    wait(15_000);
    await until(() => names().length === 5);
    expect(names().slice(3)).toEqual(['b child', 'c root']);
  });

  it('never waits longer than decision_wait, even when the root comes just before', async () => {
    const { names, send, wait } = create({
      decision_wait: '10s',
      decision_wait_after_root_received: '5s',
      policies: [ALL],
    });
    await send({ name: 'child', parentSpanId: '0102030405060708' });
    wait(9_000);
    await send({ name: 'root' });
    wait(1_000);
    await until(() => names().length === 2);
  });

  describe('with span-ingest', () => {
    const ERRORS = { name: 'errors', type: 'status_code', status_code: { status_codes: ['ERROR'] } };
    const strategy = { sampling_strategy: 'span-ingest', decision_wait: '10s' };

    it('keeps a trace at the first match, and forgets the unmatched when their time has come', async () => {
      const { names, send, wait, account } = create({ ...strategy, policies: [ERRORS] });
      await send({ name: 'a1' }, { name: 'b1', traceId: id(2) });
      expect(names()).toEqual([]);
      await send({ name: 'a2', status: { code: 2 } });
      await until(() => names().length === 2);
      await send({ name: 'a3' });
      await until(() => names().length === 3);
      expect(names()).toEqual(['a1', 'a2', 'a3']);
      wait(10_000);
      expect(account()).toMatchObject({
        received: 4,
        sent: 3,
        dropped: { not_sampled: 1 },
        held: 0,
        unaccounted: 0,
      });
    });

    it('asks about each batch for itself', async () => {
      const both = {
        name: 'both',
        type: 'and',
        and: {
          and_sub_policy: [ERRORS, { name: 'slow', type: 'latency', latency: { threshold_ms: 4 } }],
        },
      };
      const { names, send, wait, account } = create({ ...strategy, policies: [both] });
      await send({ name: 'failed', status: { code: 2 }, endTime: { hi: 1, lo: 0 } });
      await send({ name: 'slow' });
      wait(10_000);
      expect(names()).toEqual([]);
      expect(account()).toMatchObject({ dropped: { not_sampled: 2 }, held: 0, unaccounted: 0 });
    });

    it('holds what is wanted while a drop policy may still refuse it', async () => {
      const health = {
        name: 'health',
        type: 'string_attribute',
        string_attribute: { key: 'p', values: ['/h'] },
      };
      const drop = { name: 'no health', type: 'drop', drop: { drop_sub_policy: [health] } };
      const { names, send, wait, account } = create({ ...strategy, policies: [ALL, drop] });
      await send({ name: 'a' }, { name: 'b', traceId: id(2) });
      await send({ name: 'b2', traceId: id(2), attributes: { p: '/h' } });
      expect(names()).toEqual([]);
      expect(account()).toMatchObject({ dropped: { dropped: 2 }, held: 1 });
      wait(10_000);
      await until(() => names().length === 1);
      expect(names()).toEqual(['a']);
      expect(account()).toMatchObject({ sent: 1, held: 0, unaccounted: 0 });
    });

    it('takes no policies with rates or upper bounds', () => {
      const limit = { name: 'limit', type: 'rate_limiting', rate_limiting: { spans_per_second: 5 } };
      const short = { name: 'short', type: 'latency', latency: { threshold_ms: 1, upper_threshold_ms: 5 } };
      const inside = { name: 'inside', type: 'and', and: { and_sub_policy: [ERRORS, limit] } };
      for (const policy of [limit, short, inside]) {
        expect(() => tailSamplingConfig().parse({ ...strategy, policies: [ERRORS, policy] })).toThrow(
          `policy \\"${policy.name}\\" is stateful`,
        );
        tailSamplingConfig().parse({ policies: [ERRORS, policy] });
      }
      expect(() => tailSamplingConfig().parse({ sampling_strategy: 'nosuch' })).toThrow('span-ingest');
    });
  });

  it('accounts for what it could not send by the deadline, and for what is refused for good', async () => {
    const late = create({ policies: [ALL] });
    late.sink.answer = async () => {
      throw new RetryableError('down');
    };
    await late.send({ name: 'a' });
    await late.processor.shutdown(AbortSignal.abort());
    expect(late.account()).toMatchObject({ dropped: { shutdown: 1 }, held: 0, unaccounted: 0 });
    const refused = create({ policies: [ALL] });
    refused.sink.answer = async () => {
      throw new PermanentError('no');
    };
    await refused.send({ name: 'a' });
    await refused.processor.shutdown(never);
    expect(refused.account()).toMatchObject({ dropped: { rejected: 1 }, held: 0, unaccounted: 0 });
  });

  it('refuses bytes that are no OTLP for good', async () => {
    const { processor, account } = create({ policies: [ALL] });
    const broken = { ...batchOf('traces', request([{}])), bytes: Uint8Array.of(0x0a, 0x05, 1) };
    await expect(processor.consume(broken)).rejects.toThrow(PermanentError);
    expect(account()).toMatchObject({ received: 1, dropped: { rejected: 1 }, held: 0, unaccounted: 0 });
  });
});

describe('policies of tail_sampling', () => {
  async function keeps(policy: Record<string, unknown>, ...spans: Partial<SpanInput>[]): Promise<boolean> {
    const { names, send, processor } = create({ policies: [{ name: 'p', ...policy }] });
    await send(...spans);
    await processor.shutdown(never);
    return names().length > 0;
  }
  const numeric = (numeric_attribute: Record<string, unknown>) => ({
    type: 'numeric_attribute',
    numeric_attribute,
  });
  const text = (string_attribute: Record<string, unknown>) => ({
    type: 'string_attribute',
    string_attribute,
  });
  const latency = (threshold_ms: number, upper_threshold_ms = 0) => ({
    type: 'latency',
    latency: { threshold_ms, upper_threshold_ms },
  });

  it.each([
    [latency(4), true],
    [latency(5), false],
    [latency(4, 5), true],
    [latency(1, 4), false],
    [numeric({ key: 'n', min_value: 5, max_value: 7 }), true],
    [numeric({ key: 'n', min_value: 8 }), false],
    [numeric({ key: 'n', max_value: 7 }), true],
    [numeric({ key: 'n', min_value: 5, invert_match: true }), false],
    [text({ key: 'tier', values: ['gold'] }), true],
    [text({ key: 'route', values: ['^/a'], enabled_regex_matching: true }), true],
    [text({ key: 'route', values: ['a'] }), false],
    [text({ key: 'route', values: ['/a'], invert_match: true }), false],
    [{ type: 'boolean_attribute', boolean_attribute: { key: 'vip', value: false } }, true],
    [{ type: 'status_code', status_code: { status_codes: ['UNSET'] } }, true],
    [{ type: 'status_code', status_code: { status_codes: ['OK'] } }, false],
    [{ type: 'span_count', span_count: { min_spans: 2 } }, false],
    [{ type: 'span_count', span_count: { min_spans: 1, max_spans: 1 } }, true],
    [{ type: 'trace_state', trace_state: { key: 'k', values: ['v', 'w'] } }, true],
    [{ type: 'probabilistic', probabilistic: { sampling_percentage: 100 } }, true],
    [{ type: 'probabilistic', probabilistic: { sampling_percentage: 0 } }, false],
    [{ type: 'rate_limiting', rate_limiting: { spans_per_second: 1 } }, true],
    [{ type: 'rate_limiting', rate_limiting: { spans_per_second: 0 } }, false],
    [{ type: 'bytes_limiting', bytes_limiting: { bytes_per_second: 1 } }, false],
    [{ type: 'ottl_condition', ottl_condition: { span: ['attributes["n"] == 7'] } }, true],
    [{ type: 'ottl_condition', ottl_condition: { spanevent: ['name == "boom"'] } }, true],
    [{ type: 'not', not: { not_sub_policy: { name: 'x', ...latency(4) } } }, false],
    [{ type: 'and', and: { and_sub_policy: [ALL, { name: 'x', ...latency(4) }] } }, true],
    [{ type: 'and', and: { and_sub_policy: [ALL, { name: 'x', ...latency(9) }] } }, false],
  ])('%j: %s', async (policy, expected) => {
    const span = {
      traceState: 'a=b,k=w',
      attributes: { n: 7, route: '/a', vip: false },
      events: [{ time: { hi: 1, lo: 1 }, name: 'boom' }],
    };
    expect(await keeps(policy, span)).toBe(expected);
  });

  it('drop goes before everything that keeps', async () => {
    const drop = { name: 'd', type: 'drop', drop: { drop_sub_policy: [{ name: 'x', ...latency(4) }] } };
    const { names, send, processor, account } = create({ policies: [ALL, drop] });
    await send({ name: 'slow' }, { name: 'fast', traceId: id(2), endTime: { hi: 1, lo: 0 } });
    await processor.shutdown(never);
    expect(names()).toEqual(['fast']);
    expect(account()).toMatchObject({ sent: 1, dropped: { dropped: 1 } });
  });

  it('composite gives each policy its part of the spans in a second', async () => {
    const { names, send, processor } = create({
      policies: [
        {
          name: 'c',
          type: 'composite',
          composite: {
            max_total_spans_per_second: 4,
            policy_order: ['slow', 'rest'],
            composite_sub_policy: [
              { name: 'slow', ...latency(4) },
              { name: 'rest', type: 'always_sample' },
            ],
            rate_allocation: [
              { policy: 'slow', percent: 50 },
              { policy: 'rest', percent: 25 },
            ],
          },
        },
      ],
    });
    const slow = [1, 2, 3].map((number) => ({ name: `slow${number}`, traceId: id(number) }));
    const fast = [4, 5].map((number) => ({
      name: `fast${number}`,
      traceId: id(number),
      endTime: { hi: 1, lo: 0 },
    }));
    await send(...slow, ...fast);
    await processor.shutdown(never);
    expect(names()).toEqual(['slow1', 'slow2', 'fast4']);
  });

  it('probabilistic keeps about its part', async () => {
    const { names, send, processor } = create({
      policies: [{ name: 'p', type: 'probabilistic', probabilistic: { sampling_percentage: 25 } }],
    });
    const random = (index: number) => createHash('md5').update(String(index)).digest('hex');
    await send(...Array.from({ length: 2000 }, (_, index) => ({ traceId: random(index) })));
    await processor.shutdown(never);
    expect(names().length).toBeGreaterThan(400);
    expect(names().length).toBeLessThan(600);
  });

  it.each([
    [{ type: 'nope' }, 'unknown sampling policy type nope'],
    [{ type: 'latency' }, 'a policy of type latency needs the settings "latency"'],
    [
      { type: 'status_code', status_code: { status_codes: ['BAD'] } },
      'unknown status code "BAD", supported: OK, ERROR, UNSET',
    ],
    [{ type: 'status_code', status_code: {} }, 'expected at least one status code to filter on'],
    [numeric({ key: 'n' }), 'at least one of min_value or max_value must be set'],
  ])('refuses %j', (policy, message) => {
    const result = tailSamplingConfig().safeParse({ policies: [{ name: 'p', ...policy }] });
    expect(result.error?.issues.map((issue) => issue.message)).toEqual([
      `failed to create policy evaluator for "p": ${message}`,
    ]);
  });

  it('refuses names that are missing or come twice', () => {
    const result = tailSamplingConfig().safeParse({ policies: [ALL, ALL, { type: 'always_sample' }] });
    expect(result.error?.issues.map(({ message }) => message)).toEqual([
      'duplicate policy name "all"',
      'policy name cannot be empty',
    ]);
  });
});
