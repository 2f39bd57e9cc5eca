import { z } from 'zod';
import type { Consumer } from '../../src/component/component.js';
import { type AnyFactory, defineExporter, defineReceiver } from '../../src/component/factory.js';
import type { Batch, Signal } from '../../src/component/signal.js';
import { COMPONENTS } from '../../src/components.js';
import { checkConfig } from '../../src/config/check.js';
import type { FeatureGates } from '../../src/config/feature-gates.js';
import { loadConfig } from '../../src/config/load.js';
import { formatProblems } from '../../src/config/problem.js';
import { Agent } from '../../src/pipeline/agent.js';
import { type AccountLine, MetricsRegistry } from '../../src/telemetry/registry.js';
import { CaptureLogger } from './capture-logger.js';

/** A running pipeline between a receiver that the test drives and exporters that remember. */
export interface PipelineHarness {
  readonly agent: Agent;
  readonly logger: CaptureLogger;
  /** Starts and stops, in order: `start exporter out/a`. */
  readonly events: string[];
  /** What the `in` receiver feeds. */
  readonly next: (signal?: Signal, id?: string) => Consumer;
  /** What exporter `id` accepted. */
  readonly out: (id?: string) => Batch[];
  /** Accounting line of a component. */
  readonly account: (id: string, kind: AccountLine['component']['kind']) => AccountLine | undefined;
  /** Goes over to another configuration. */
  readonly reload: (yaml: string) => Promise<'new' | 'previous'>;
  /** What exporter `id` does with a batch; it throws what this throws. */
  readonly onExport: Map<string, (batch: Batch) => void | Promise<void>>;
}

const SIGNALS = ['traces', 'metrics', 'logs', 'profiles'] as const;

/** Builds and starts a configuration with an additional receiver type `in` and exporter type `out`. */
export async function startPipeline(
  yaml: string,
  options: {
    readonly factories?: readonly AnyFactory[];
    readonly shutdownTimeoutMs?: number;
    readonly gates?: FeatureGates;
  } = {},
): Promise<PipelineHarness> {
  const events: string[] = [];
  const inputs = new Map<string, Partial<Record<Signal, Consumer>>>();
  const outputs = new Map<string, Batch[]>();
  const onExport = new Map<string, (batch: Batch) => void | Promise<void>>();
  const lifecycle = (name: string) => ({
    start: async () => {
      events.push(`start ${name}`);
    },
    shutdown: async () => {
      events.push(`stop ${name}`);
    },
  });
  const own: AnyFactory[] = [
    defineReceiver({
      type: 'in',
      stability: 'development',
      description: 'Driven by a test.',
      signals: SIGNALS,
      config: () => z.strictObject({ setting: z.string().default('') }),
      create: ({ id }, _config, next) => {
        inputs.set(id, next);
        return lifecycle(`receiver ${id}`);
      },
    }),
    defineExporter({
      type: 'out',
      stability: 'development',
      description: 'Remembers.',
      signals: SIGNALS,
      config: () => z.strictObject({ setting: z.string().default('') }),
      create: ({ id }) => {
        const kept = outputs.get(id) ?? [];
        outputs.set(id, kept);
        return {
          ...lifecycle(`exporter ${id}`),
          consume: async (batch) => {
            await onExport.get(id)?.(batch);
            kept.push(batch);
          },
        };
      },
    }),
  ];
  const factories = [...COMPONENTS, ...own, ...(options.factories ?? [])];
  const read = async (text: string) => {
    const root = await loadConfig({ uris: [`yaml:${text}`] }, { env: {}, note: () => {} });
    const checked = checkConfig(root, factories, options.gates);
    if (!checked.ok) throw new Error(formatProblems(checked.problems, { prefixed: true }));
    return checked.config;
  };
  const logger = new CaptureLogger();
  const agent = new Agent({
    logger,
    registry: new MetricsRegistry(),
    shutdownTimeoutMs: options.shutdownTimeoutMs ?? 5000,
    version: 'test',
    onStopRequest: (reason) => events.push(`stop requested: ${reason}`),
  });
  await agent.start(await read(yaml));
  return {
    agent,
    logger,
    events,
    onExport,
    reload: async (text) => agent.reload(await read(text)),
    next: (signal = 'traces', id = 'in') => {
      const consumer = inputs.get(id)?.[signal];
      if (consumer === undefined) throw new Error(`receiver ${id} feeds no ${signal}`);
      return consumer;
    },
    out: (id = 'out') => outputs.get(id) ?? [],
    account: (id, kind) =>
      agent.snapshot().accounts.find(({ component }) => component.id === id && component.kind === kind),
  };
}

/** Runs queued microtasks and immediates until `condition` holds; fails when it never does. */
export async function until(condition: () => boolean, turns = 2000): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`condition did not hold: ${condition.toString()}`);
}
