import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../../src/component/errors.js';
import { decodeSpans } from '../../../../src/otlp/decode.js';
import { transformProcessor } from '../../../../src/processors/transform/factory.js';
import { testSettings } from '../../../helpers/batches.js';
import { batchOf } from '../../../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../../../helpers/otlp/payload.js';
import { Sink } from '../../../helpers/otlp/receiver-harness.js';

function create(config: Record<string, unknown>) {
  const sink = new Sink();
  const settings = testSettings({ kind: 'processor', id: 'transform', instance: 'traces' });
  const parsed = transformProcessor.config().parse(config);
  return { sink, settings, processor: transformProcessor.create(settings, parsed, 'traces', sink) };
}

const failing = ['set(span.attributes["bad"], 1 / 0)', 'set(span.attributes["good"], 1)'];

describe('transform', () => {
  it('passes a batch that no statement changes as it is', async () => {
    const { sink, processor } = create({ trace_statements: ['set(span.name, "x") where span.kind == 99'] });
    const batch = batchOf('traces', tracesRequest(5));
    await processor.consume(batch);
    expect(sink.batches[0]).toBe(batch);
  });

  it('goes on after a failure, and logs once per batch and statement', async () => {
    const { sink, settings, processor } = create({ trace_statements: failing });
    await processor.consume(batchOf('traces', tracesRequest(3)));
    expect(decodeSpans(sink.batches[0]!.bytes).map(({ attributes }) => attributes.good)).toEqual([1, 1, 1]);
    expect(settings.logger.lines).toEqual([
      {
        level: 'warn',
        message: 'failed to execute statement',
        fields: { statement: failing[0], error: 'attempted to divide by 0', count: 3 },
      },
    ]);
  });

  it('goes on without a word when told to be silent', async () => {
    const { sink, settings, processor } = create({ error_mode: 'silent', trace_statements: failing });
    await processor.consume(batchOf('traces', tracesRequest(1)));
    expect(sink.itemCount).toBe(1);
    expect(settings.logger.lines).toEqual([]);
  });

  it('refuses the batch for good when told to propagate; a group may say so for itself', async () => {
    const { sink, processor } = create({
      trace_statements: [{ statements: failing, error_mode: 'propagate' }],
    });
    await expect(processor.consume(batchOf('traces', tracesRequest(1)))).rejects.toThrow(PermanentError);
    expect(sink.batches).toEqual([]);
  });

  it('refuses styles side by side, and unknown contexts and modes', () => {
    const problems = (config: Record<string, unknown>) =>
      transformProcessor
        .config()
        .safeParse(config)
        .error?.issues.map(({ message }) => message);
    expect(problems({ trace_statements: ['set(span.name, "a")', { statements: [] }] })).toEqual([
      'configuring multiple configuration styles is not supported, please use only Basic configuration or only Advanced configuration',
    ]);
    expect(problems({ trace_statements: [{ context: 'metric', statements: [] }] })).toEqual([
      'unknown context "metric" for statements: []',
    ]);
    expect(problems({ error_mode: 'loud' })).toEqual(['unknown error mode loud']);
  });
});
