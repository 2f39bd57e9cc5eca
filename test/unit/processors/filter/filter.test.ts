import { describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../../src/component/errors.js';
import { countBatch } from '../../../../src/otlp/count.js';
import { filterProcessor } from '../../../../src/processors/filter/factory.js';
import { testSettings } from '../../../helpers/batches.js';
import { batchOf } from '../../../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../../../helpers/otlp/payload.js';
import { Sink } from '../../../helpers/otlp/receiver-harness.js';
import { startPipeline } from '../../../helpers/pipeline.js';

function create(config: Record<string, unknown>) {
  const sink = new Sink();
  const settings = testSettings({ kind: 'processor', id: 'filter', instance: 'traces' });
  const parsed = filterProcessor.config().parse(config);
  return { sink, settings, processor: filterProcessor.create(settings, parsed, 'traces', sink) };
}

describe('filter', () => {
  it('passes a batch of which nothing goes away as it is', async () => {
    const { sink, processor } = create({ traces: { span: ['name == "x"'], spanevent: ['name == "y"'] } });
    const batch = batchOf('traces', tracesRequest(5));
    await processor.consume(batch);
    expect(sink.batches[0]).toBe(batch);
  });

  it('keeps what stays byte by byte', async () => {
    const { sink, processor } = create({ traces: { span: ['attributes["n"] == 1'] } });
    const bytes = tracesRequest(3);
    await processor.consume(batchOf('traces', bytes));
    const [out] = sink.batches;
    expect(out!.itemCount).toBe(2);
    expect(countBatch('traces', out!.bytes)).toBe(2);
    // Every span but the second one is found in what came out.
    const spanOf = (index: number) => Buffer.from(`GET /item/${index}`);
    expect(Buffer.from(out!.bytes).includes(spanOf(0))).toBe(true);
    expect(Buffer.from(out!.bytes).includes(spanOf(1))).toBe(false);
  });

  it('sends nothing on when everything goes away, and accounts for it', async () => {
    const harness = await startPipeline(`
receivers: {in: {}}
processors: {filter: {trace_conditions: ['span.kind == SPAN_KIND_SERVER']}}
exporters: {out: {}}
service: {pipelines: {traces: {receivers: [in], processors: [filter], exporters: [out]}}}
`);
    await harness.next().consume(batchOf('traces', tracesRequest(4)));
    expect(harness.out()).toEqual([]);
    expect(harness.account('filter', 'processor')).toMatchObject({
      received: 4,
      sent: 0,
      dropped: { filtered: 4 },
      unaccounted: 0,
    });
    await harness.agent.stop();
  });

  it('counts nothing as filtered while what follows refuses the rest', async () => {
    const { sink, settings, processor } = create({ traces: { span: ['attributes["n"] == 1'] } });
    sink.answer = async () => {
      throw new RetryableError('later');
    };
    await expect(processor.consume(batchOf('traces', tracesRequest(3)))).rejects.toThrow('later');
    expect(settings.accounts()).toEqual([]);
  });

  it.each([
    ['ignore', 1, 1],
    ['silent', 1, 0],
  ])('in error mode %s keeps what it can not decide about', async (mode, kept, logged) => {
    const { sink, settings, processor } = create({ error_mode: mode, traces: { span: ['1 / 0 == 1'] } });
    await processor.consume(batchOf('traces', tracesRequest(1)));
    expect(sink.itemCount).toBe(kept);
    expect(settings.logger.lines).toHaveLength(logged);
  });

  it('in error mode propagate refuses the batch for good', async () => {
    const { processor } = create({ error_mode: 'propagate', traces: { span: ['1 / 0 == 1'] } });
    await expect(processor.consume(batchOf('traces', tracesRequest(1)))).rejects.toThrow(PermanentError);
  });

  it('refuses old and new settings side by side', () => {
    const result = filterProcessor
      .config()
      .safeParse({ trace_conditions: ['span.kind == 1'], traces: { span: ['kind == 1'] } });
    expect(result.error?.issues.map(({ message }) => message)).toEqual([
      'cannot use context inferred trace conditions "trace_conditions" and the settings "traces.resource", "traces.span", "traces.spanevent" at the same time',
    ]);
  });
});
