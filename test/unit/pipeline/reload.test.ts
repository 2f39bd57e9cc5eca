import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Extension } from '../../../src/component/component.js';
import { defineExtension, defineProcessor, defineReceiver } from '../../../src/component/factory.js';
import { batchOf } from '../../helpers/batches.js';
import { type PipelineHarness, startPipeline, until } from '../../helpers/pipeline.js';

let harness: PipelineHarness | undefined;
afterEach(async () => {
  await harness?.agent.stop();
  harness = undefined;
});

const events: string[] = [];
const CLOCK = { name: 'test clock' } as const;

/** An extension that offers itself, under the name that its configuration gives. */
const clock = defineExtension({
  type: 'clock',
  stability: 'development',
  description: 'Offers a service.',
  config: () => z.strictObject({ text: z.string().default('') }),
  create: ({ id }, { text }): Extension => ({
    start: async (host) => {
      events.push(`start ${id} ${text}`);
      if (text === 'broken') throw new Error('broken');
      host.provide(CLOCK, text);
    },
    shutdown: async () => {
      events.push(`stop ${id} ${text}`);
    },
  }),
});

/** A processor that holds what it gets until it stops, and asks for the clock as `use` says. */
const hoarder = defineProcessor({
  type: 'hoarder',
  stability: 'development',
  description: 'Holds everything.',
  signals: ['traces'],
  config: () => z.strictObject({ use: z.enum(['keep', 'live', 'none']).default('none') }),
  create: ({ id }, { use }, _signal, next) => {
    const held: Parameters<typeof next.consume>[0][] = [];
    return {
      start: async (host) => {
        events.push(`start ${id}`);
        if (use !== 'none') host.service(CLOCK, use === 'live' ? 'live' : undefined);
      },
      consume: async (batch) => {
        held.push(batch);
      },
      shutdown: async () => {
        events.push(`stop ${id}`);
        for (const batch of held.splice(0)) await next.consume(batch);
      },
    };
  },
});

/** A receiver with an output for each signal that has a pipeline, and that can be told of more. */
const fed: string[][] = [];
const feedable = defineReceiver({
  type: 'feedable',
  stability: 'development',
  description: 'Remembers its signals.',
  signals: ['traces', 'metrics'],
  config: () => z.strictObject({}),
  create: (_settings, _config, next) => {
    fed.push(Object.keys(next));
    return { start: async () => {}, shutdown: async () => {}, feed: (other) => fed.push(Object.keys(other)) };
  },
});

const start = async (yaml: string): Promise<PipelineHarness> => {
  events.length = 0;
  fed.length = 0;
  harness = await startPipeline(yaml, { factories: [clock, hoarder, feedable] });
  harness.events.length = 0;
  events.length = 0;
  return harness;
};

const SIMPLE = `
receivers: {in: , in/2: }
processors: {hoarder: }
exporters: {out/a: , out/b: }
service: {pipelines: {traces: {receivers: [in], exporters: [out/a]}}}
`;

describe('a reload', () => {
  it('restarts nothing when nothing changed, and says what people wait for', async () => {
    const { reload, events: seen, logger } = await start(SIMPLE);
    expect(await reload(SIMPLE.replace('in/2: }', 'in/2: {} }'))).toBe('new');
    expect(seen).toEqual([]);
    expect(logger.messages('warn')).toEqual(['Config updated, restart service']);
    expect(logger.messages('info').at(-1)).toBe('Everything is ready. Begin running and processing data.');
  });

  it('keeps the receiver when the exporter behind it is another, and holds its batches back meanwhile', async () => {
    const { reload, events: seen, next, out, onExport, logger } = await start(SIMPLE);
    let finish = (): void => {};
    onExport.set('out/a', () => new Promise((resolve) => (finish = resolve)));
    const before = next();
    const first = before.consume(batchOf(1));
    const reloading = reload(SIMPLE.replace('out/a: ', 'out/a: {setting: other}'));
    await until(() => logger.messages('warn').length > 0);
    const second = before.consume(batchOf(2));
    // The old exporter is not stopped before it has answered for what was on its way to it.
    expect(seen).toEqual([]);
    expect(out('out/a')).toEqual([]);
    onExport.delete('out/a');
    finish();
    expect(await reloading).toBe('new');
    await Promise.all([first, second]);
    expect(seen).toEqual(['stop exporter out/a', 'start exporter out/a']);
    expect(out('out/a').map(({ itemCount }) => itemCount)).toEqual([1, 2]);
    expect(next()).toBe(before);
  });

  it('lets a processor that leaves send on what it holds', async () => {
    const chain = (rest: string) => `
receivers: {in: }
processors: {hoarder/1: , hoarder/2: , filter: }
exporters: {out: }
service: {pipelines: {traces: {receivers: [in], processors: [${rest}], exporters: [out]}}}
`;
    const { reload, next, out, events: seen } = await start(chain('hoarder/1, filter, hoarder/2'));
    await next().consume(batchOf(3));
    await reload(chain('filter'));
    expect(out().map(({ itemCount }) => itemCount)).toEqual([3]);
    await next().consume(batchOf(4));
    expect(out().map(({ itemCount }) => itemCount)).toEqual([3, 4]);
    expect(seen).toEqual([]);
    expect(events).toEqual(['stop hoarder/1', 'stop hoarder/2']);
  });

  it('adds and removes pipelines around a receiver that stays', async () => {
    const { reload, next, out, events: seen } = await start(SIMPLE);
    const two = SIMPLE.replace(
      '{pipelines: {',
      '{pipelines: {traces/2: {receivers: [in], exporters: [out/b]}, ',
    );
    await reload(two);
    await next().consume(batchOf(1));
    expect([out('out/a').length, out('out/b').length]).toEqual([1, 1]);
    await reload(SIMPLE);
    await next().consume(batchOf(1));
    expect([out('out/a').length, out('out/b').length]).toEqual([2, 1]);
    expect(seen).toEqual(['start exporter out/b', 'stop exporter out/b']);
  });

  it('tells a receiver of new signals when it can be told, and restarts it when it can not', async () => {
    const pipelines = (...signals: string[]) => `
receivers: {in: , feedable: }
exporters: {out: }
service: {pipelines: {${signals.map((signal) => `${signal}: {receivers: [in, feedable], exporters: [out]}`).join(', ')}}}
`;
    const { reload, events: seen } = await start(pipelines('traces'));
    await reload(pipelines('traces', 'metrics'));
    await reload(pipelines('metrics'));
    expect(fed).toEqual([['traces'], ['traces', 'metrics'], ['metrics']]);
    expect(seen.filter((event) => event.includes('receiver'))).toEqual([
      'stop receiver in',
      'start receiver in',
      'stop receiver in',
      'start receiver in',
    ]);
  });

  it('restarts what keeps a service of an extension that changed, and not what asks anew', async () => {
    const with_ = (text: string) => `
receivers: {in: }
processors: {hoarder/keep: {use: keep}, hoarder/live: {use: live}}
exporters: {out: }
extensions: {clock: {text: ${text}}}
service:
  extensions: [${text === 'none' ? '' : 'clock'}]
  pipelines: {traces: {receivers: [in], processors: [hoarder/keep, hoarder/live], exporters: [out]}}
`;
    const { reload, events: seen } = await start(with_('one'));
    await reload(with_('two'));
    expect(events).toEqual(['stop hoarder/keep', 'stop clock one', 'start clock two', 'start hoarder/keep']);
    events.length = 0;
    // Now nobody provides it, which is everybody's business.
    await reload(with_('none'));
    expect(events).toEqual([
      'stop hoarder/keep',
      'stop hoarder/live',
      'stop clock two',
      'start hoarder/live',
      'start hoarder/keep',
    ]);
    expect(seen).toEqual([]);
  });

  it('goes back when something does not start, without touching the rest', async () => {
    const { reload, events: seen, next, out, logger, agent } = await start(SIMPLE);
    const broken = SIMPLE.replace('out/a: ', 'out/a: {setting: x}')
      .replace('exporters:', 'extensions: {clock: {text: broken}}\nexporters:')
      .replace('service: {', 'service: {extensions: [clock], ');
    expect(await reload(broken)).toBe('previous');
    expect(logger.messages('error')).toEqual([
      'Failed to start component',
      'New configuration does not start. Going back to the previous one.',
    ]);
    await next().consume(batchOf(2));
    expect(out('out/a')).toHaveLength(1);
    expect(seen).toEqual(['stop exporter out/a', 'start exporter out/a']);
    expect(events).toEqual(['start clock broken', 'stop clock broken']);
    expect(agent.isRunning).toBe(true);
  });

  it('goes back when the last thing to start, a receiver, does not', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const otlp = (where: number, exporter: string) =>
      SIMPLE.replace('in/2: ', `otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${where}"}}}`)
        .replace('[in]', '[in, otlp]')
        .replace('[out/a]', `[${exporter}]`);
    const { reload, next, out } = await start(otlp(0, 'out/a'));
    expect(await reload(otlp(port, 'out/b'))).toBe('previous');
    await next().consume(batchOf(1));
    expect([out('out/a').length, out('out/b').length]).toEqual([1, 0]);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('refuses what can not be built, and changes nothing', async () => {
    const { reload, events: seen } = await start(SIMPLE);
    await expect(
      reload(
        SIMPLE.replace('exporters: {', 'connectors: {forward: }\nexporters: {').replace(
          '[out/a]',
          '[forward]',
        ),
      ),
    ).rejects.toThrow('used as exporter in [traces] pipeline');
    expect(seen).toEqual([]);
  });
});
