import { describe, expect, it } from 'vitest';
import { ConfigError, PermanentError, RetryableError } from '../../../../src/component/errors.js';
import { decodeSpans } from '../../../../src/otlp/decode.js';
import { attributesProcessor } from '../../../../src/processors/attributes/factory.js';
import { testSettings } from '../../../helpers/batches.js';
import { batchOf } from '../../../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../../../helpers/otlp/payload.js';
import { Sink } from '../../../helpers/otlp/receiver-harness.js';

function create(config: Record<string, unknown>, signal: 'traces' | 'metrics' = 'traces') {
  const sink = new Sink();
  const parsed = attributesProcessor.config().parse(config);
  return { sink, processor: attributesProcessor.create(testSettings(), parsed, signal, sink) };
}

describe('attributes', () => {
  it('passes a batch that nothing is done to as it is', async () => {
    const { sink, processor } = create({
      actions: [
        { key: 'absent', action: 'delete' },
        { pattern: '^absent', action: 'delete' },
        { key: 'absent', action: 'hash' },
        { key: 'n', value: 1, action: 'insert' },
      ],
    });
    const batch = batchOf('traces', tracesRequest(3));
    await processor.consume(batch);
    expect(sink.batches).toEqual([batch]);
    expect(sink.batches[0]!.bytes).toBe(batch.bytes);
  });

  it('takes the address of the sender from the connection', async () => {
    const { sink, processor } = create({
      actions: [{ key: 'client', from_context: 'client.address', action: 'insert' }],
    });
    const connection = { remoteAddress: '10.0.0.7', remotePort: 1, localAddress: '10.0.0.1', localPort: 2 };
    const batch = batchOf('traces', tracesRequest(1));
    await processor.consume({ ...batch, origin: { receiver: 'otlp', connection } });
    await processor.consume(batch);
    expect(sink.batches.map(({ bytes }) => decodeSpans(bytes)[0]!.attributes.client)).toEqual([
      '10.0.0.7',
      undefined,
    ]);
  });

  it('refuses what is no OTLP for good, and hands on what follows says', async () => {
    const { sink, processor } = create({ actions: [{ key: 'k', value: 1, action: 'upsert' }] });
    const broken = { ...batchOf('traces', tracesRequest(1)), bytes: Uint8Array.of(0x0a, 0x05, 1) };
    await expect(processor.consume(broken)).rejects.toBeInstanceOf(PermanentError);
    sink.answer = async () => {
      throw new RetryableError('later');
    };
    await expect(processor.consume(batchOf('traces', tracesRequest(1)))).rejects.toThrow('later');
  });

  it('says which pipeline its settings do not fit', () => {
    const config = {
      include: { match_type: 'strict', services: ['x'] },
      actions: [{ key: 'k', action: 'delete' }],
    };
    expect(() => create(config)).not.toThrow();
    expect(() => create(config, 'metrics')).toThrow(ConfigError);
  });
});
