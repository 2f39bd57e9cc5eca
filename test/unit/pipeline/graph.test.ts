import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PermanentError, RetryableError, UnsupportedError } from '../../../src/component/errors.js';
import {
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
} from '../../../src/component/factory.js';
import { batchOf } from '../../helpers/batches.js';
import { startPipeline } from '../../helpers/pipeline.js';

const FAN_OUT = `
receivers: {in: }
processors: {batch: {timeout: 0}}
exporters: {out/a: , out/b: }
service:
  pipelines:
    traces/1: {receivers: [in], processors: [batch], exporters: [out/a]}
    traces/2: {receivers: [in], exporters: [out/a, out/b]}
`;

describe('a graph', () => {
  it('shares receivers and exporters, gives each pipeline its processors, and adds up', async () => {
    const { next, out, account, agent } = await startPipeline(FAN_OUT);
    await next().consume(batchOf(3));
    await agent.stop();
    expect(out('out/a').map(({ itemCount }) => itemCount)).toEqual([3, 3]);
    expect(out('out/b')).toHaveLength(1);
    expect(account('in', 'receiver')).toMatchObject({
      received: 3,
      sent: 3,
      dropped: {},
      held: 0,
      unaccounted: 0,
    });
    expect(account('batch', 'processor')).toMatchObject({ received: 3, sent: 3, unaccounted: 0 });
    expect(account('out/a', 'exporter')).toMatchObject({ received: 6, sent: 6, unaccounted: 0 });
    expect(agent.accounting()).toMatch(/exporter out\/a \(traces\) +traces +6 +6 +0 +0/);
  });

  it('starts exporters first and receivers last, and stops the other way round', async () => {
    const { events, agent } = await startPipeline(FAN_OUT);
    expect(events).toEqual(['start exporter out/a', 'start exporter out/b', 'start receiver in']);
    events.length = 0;
    await agent.stop();
    await agent.stop();
    expect(events).toEqual(['stop receiver in', 'stop exporter out/a', 'stop exporter out/b']);
  });

  it('says what people wait for in the log', async () => {
    const { logger, agent } = await startPipeline(FAN_OUT);
    await agent.stop();
    expect(logger.messages('info')).toEqual([
      'Starting kindling...',
      'Starting extensions...',
      'Everything is ready. Begin running and processing data.',
      'Starting shutdown...',
      'Stopping extensions...',
      'Shutdown complete.',
    ]);
  });

  it('does not let one failing exporter keep data from another', async () => {
    const { next, out, onExport, account, agent } = await startPipeline(FAN_OUT);
    onExport.set('out/a', () => {
      throw new PermanentError('no');
    });
    await expect(next().consume(batchOf(2))).rejects.toThrow(PermanentError);
    expect(out('out/b')).toHaveLength(1);
    expect(account('out/a', 'exporter')?.dropped.rejected).toBeGreaterThanOrEqual(2);
    expect(account('in', 'receiver')).toMatchObject({
      received: 2,
      sent: 0,
      dropped: { rejected: 2 },
      unaccounted: 0,
    });
    await agent.stop();
  });

  it('is retryable when one of several failures is', async () => {
    const { next, onExport, agent } = await startPipeline(`
receivers: {in: }
exporters: {out/a: , out/b: }
service: {pipelines: {traces: {receivers: [in], exporters: [out/a, out/b]}}}
`);
    onExport.set('out/a', () => {
      throw new PermanentError('never');
    });
    onExport.set('out/b', () => {
      throw new RetryableError('later', { retryAfterMs: 7000 });
    });
    await expect(next().consume(batchOf(1))).rejects.toMatchObject({
      name: 'RetryableError',
      retryAfterMs: 7000,
    });
    await agent.stop();
  });

  it('joins pipelines with a connector', async () => {
    const { next, out, account, agent } = await startPipeline(`
receivers: {in: }
exporters: {out: }
connectors: {forward: }
service:
  pipelines:
    traces/in: {receivers: [in], exporters: [forward]}
    traces/x: {receivers: [forward], exporters: [out]}
    traces/y: {receivers: [forward], exporters: [out]}
`);
    await next().consume(batchOf(2));
    expect(out()).toHaveLength(2);
    expect(account('forward', 'connector')).toMatchObject({ received: 2, sent: 2, unaccounted: 0 });
    await agent.stop();
  });

  it('feeds a receiver only the signals that it is used for', async () => {
    const { next, out, agent } = await startPipeline(`
receivers: {in: }
exporters: {out: }
service: {pipelines: {logs: {receivers: [in], exporters: [out]}}}
`);
    await next('logs').consume(batchOf(1, 'logs'));
    expect(out()).toHaveLength(1);
    expect(() => next('traces')).toThrow('feeds no traces');
    await agent.stop();
  });

  it('shows what a component without buffers is working on as held', async () => {
    const { next, onExport, account, agent } = await startPipeline(`
receivers: {in: }
exporters: {out: }
service: {pipelines: {traces: {receivers: [in], exporters: [out]}}}
`);
    let finish = () => {};
    onExport.set('out', () => new Promise((resolve) => (finish = resolve)));
    const call = next().consume(batchOf(4));
    expect(account('out', 'exporter')).toMatchObject({ received: 4, sent: 0, held: 4, unaccounted: 0 });
    finish();
    await call;
    expect(account('out', 'exporter')).toMatchObject({ received: 4, sent: 4, held: 0, unaccounted: 0 });
    await agent.stop();
  });
});

describe('a component that fails', () => {
  const broken = (events: string[]) => [
    defineExporter({
      type: 'broken',
      stability: 'development',
      description: '',
      signals: ['traces'],
      config: () => z.strictObject({}),
      create: () => ({
        start: async () => {
          throw new Error('listen tcp 127.0.0.1:4317: bind: address already in use');
        },
        consume: async () => {},
        shutdown: async () => {
          events.push('stop broken');
        },
      }),
    }),
  ];

  it('stops everything again and says who it was', async () => {
    const events: string[] = [];
    await expect(
      startPipeline(
        'receivers: {in: }\nexporters: {broken: }\nservice: {pipelines: {traces: {receivers: [in], exporters: [broken]}}}',
        { factories: broken(events) },
      ),
    ).rejects.toThrow(
      'cannot start pipelines: failed to start "broken" exporter: listen tcp 127.0.0.1:4317: bind: address already in use',
    );
    expect(events).toEqual(['stop broken']);
  });

  const unsupported = defineReceiver({
    type: 'kernel',
    stability: 'development',
    description: '',
    signals: ['traces'],
    config: () => z.strictObject({}),
    create: () => ({
      start: async () => {
        throw new UnsupportedError('no BTF');
      },
      shutdown: async () => {},
    }),
  });

  it('is left out with a warning when this machine does not support it', async () => {
    const { logger, next, out, agent } = await startPipeline(
      'receivers: {in: , kernel: }\nexporters: {out: }\nservice: {pipelines: {traces: {receivers: [kernel, in], exporters: [out]}}}',
      { factories: [unsupported] },
    );
    expect(logger.lines.find(({ level }) => level === 'warn')).toMatchObject({
      message: 'Component is not supported on this machine and stays off.',
      fields: { 'otelcol.component.id': 'kernel', error: 'no BTF' },
    });
    await next().consume(batchOf(1));
    expect(out()).toHaveLength(1);
    await agent.stop();
  });

  it('ends the start when no receiver remains', async () => {
    await expect(
      startPipeline(
        'receivers: {kernel: }\nexporters: {out: }\nservice: {pipelines: {traces: {receivers: [kernel], exporters: [out]}}}',
        { factories: [unsupported] },
      ),
    ).rejects.toThrow('no receiver can run on this machine');
  });

  it('is left behind when it does not stop, and errors in stopping do not stop the others', async () => {
    const stuck = defineProcessor({
      type: 'stuck',
      stability: 'development',
      description: '',
      signals: ['traces'],
      config: () => z.strictObject({ fails: z.boolean().default(false) }),
      create: (_settings, { fails }, _signal, next) => ({
        start: async () => {},
        consume: (batch) => next.consume(batch),
        shutdown: () => (fails ? Promise.reject(new Error('broken pipe')) : new Promise(() => {})),
      }),
    });
    const { agent, events, logger } = await startPipeline(
      'receivers: {in: }\nprocessors: {stuck: , stuck/2: {fails: true}}\nexporters: {out: }\n' +
        'service: {pipelines: {traces: {receivers: [in], processors: [stuck, stuck/2], exporters: [out]}}}',
      { factories: [stuck], shutdownTimeoutMs: 10 },
    );
    await agent.stop();
    expect(logger.messages('error')).toEqual([
      'Component did not stop within its deadline.',
      'Component failed to stop.',
    ]);
    expect(events).toContain('stop exporter out');
  });
});

describe('extensions', () => {
  it('start first and serve the others through the host', async () => {
    const key = { name: 'greeting' } as const;
    const greeter = defineExtension({
      type: 'greeter',
      stability: 'development',
      description: '',
      config: () => z.strictObject({}),
      create: () => ({
        start: async (host) => host.provide<string>(key, 'hello'),
        shutdown: async () => {},
      }),
    });
    const asker = defineReceiver({
      type: 'asker',
      stability: 'development',
      description: '',
      signals: ['traces'],
      config: () => z.strictObject({}),
      create: () => ({
        start: async (host) => {
          host.requestStop(host.service<string>(key) ?? 'nobody');
        },
        shutdown: async () => {},
      }),
    });
    const { agent, events } = await startPipeline(
      'receivers: {asker: }\nextensions: {greeter: }\nexporters: {out: }\n' +
        'service: {extensions: [greeter], pipelines: {traces: {receivers: [asker], exporters: [out]}}}',
      { factories: [greeter, asker] },
    );
    expect(events).toContain('stop requested: hello');
    await agent.stop();
  });
});
