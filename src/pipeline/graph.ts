/**
 * The components of a configuration, created and wired. Rules of the Collector: a receiver is shared by all pipelines
 * that name it, a processor belongs to one pipeline, an exporter exists once per signal, a connector once per pair of
 * signals. Creation runs against the flow of data, so that everyone is given a consumer that exists.
 */
import type { Component, Consumer, Settings } from '../component/component.js';
import { ConfigError } from '../component/errors.js';
import type { Signal } from '../component/signal.js';
import { formatProblems } from '../config/problem.js';
import type { CheckedConfig, PipelineEntry } from '../config/settings.js';
import type { ComponentAccount } from '../telemetry/component-account.js';
import type { Logger } from '../telemetry/logger.js';
import type { ComponentIdentity, MetricsRegistry } from '../telemetry/registry.js';
import { checkGraph, linksFrom, pipelinesFedBy } from './check-graph.js';
import { fanOut } from './fan-out.js';
import { observeInput, observeOutput, observeThrough } from './observed.js';

export interface GraphTools {
  readonly logger: Logger;
  readonly registry: MetricsRegistry;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A component of a running agent. */
export interface GraphNode {
  readonly identity: ComponentIdentity;
  readonly component: Component;
  readonly logger: Logger;
}

/** Nodes by layer, each in the order in which they start. */
export interface Graph {
  readonly extensions: readonly GraphNode[];
  readonly exporters: readonly GraphNode[];
  /** Processors and connectors, downstream first. */
  readonly middle: readonly GraphNode[];
  readonly receivers: readonly GraphNode[];
}

/** Creates and wires all components that pipelines use; nothing starts. Throws `ConfigError`. */
export function buildGraph(config: CheckedConfig, tools: GraphTools): Graph {
  const problems = checkGraph(config);
  if (problems.length > 0) throw new ConfigError(formatProblems(problems, { prefixed: true }));
  return new GraphBuilder(config, tools).build();
}

class GraphBuilder {
  readonly #config: CheckedConfig;
  readonly #tools: GraphTools;
  readonly #exporters: GraphNode[] = [];
  readonly #middle: GraphNode[] = [];
  /** By `id signal` and `id from to`. */
  readonly #exporterInputs = new Map<string, Consumer>();
  readonly #connectorInputs = new Map<string, Consumer>();
  /** First consumer of each pipeline. */
  readonly #pipelineInputs = new Map<string, Consumer>();

  constructor(config: CheckedConfig, tools: GraphTools) {
    this.#config = config;
    this.#tools = tools;
  }

  build(): Graph {
    for (const pipeline of this.#config.pipelines) this.#pipelineInput(pipeline);
    return {
      extensions: this.#config.enabledExtensions.map((id) => this.#extension(id)),
      exporters: this.#exporters,
      middle: this.#middle,
      receivers: this.#receivers(),
    };
  }

  #pipelineInput(pipeline: PipelineEntry): Consumer {
    const existing = this.#pipelineInputs.get(pipeline.id);
    if (existing !== undefined) return existing;
    let next = fanOut(
      pipeline.exporters.flatMap((id) =>
        this.#config.connectors.has(id)
          ? this.#connectors(id, pipeline.signal)
          : [this.#exporterInput(id, pipeline.signal)],
      ),
    );
    for (const id of pipeline.processors.toReversed()) next = this.#processor(id, pipeline, next);
    this.#pipelineInputs.set(pipeline.id, next);
    return next;
  }

  #exporterInput(id: string, signal: Signal): Consumer {
    const key = `${id} ${signal}`;
    const existing = this.#exporterInputs.get(key);
    if (existing !== undefined) return existing;
    const { factory, config } = this.#config.exporters.get(id)!;
    const { settings, account } = this.#settings(
      { id, kind: 'exporter', instance: signal },
      {
        'otelcol.signal': signal,
      },
    );
    announce(account, signal);
    const exporter = factory.create(settings, config, signal);
    this.#exporters.push({ identity: account.identity, component: exporter, logger: settings.logger });
    const input = observeThrough(exporter, account.edges);
    this.#exporterInputs.set(key, input);
    return input;
  }

  #connectors(id: string, from: Signal): Consumer[] {
    return linksFrom(this.#config, id, from).map((link) => {
      const key = `${id} ${from} ${link.to}`;
      const existing = this.#connectorInputs.get(key);
      if (existing !== undefined) return existing;
      const next = fanOut(
        pipelinesFedBy(this.#config, link).map((pipeline) => this.#pipelineInput(pipeline)),
      );
      const { factory, config } = this.#config.connectors.get(id)!;
      const { settings, account } = this.#settings(
        { id, kind: 'connector', instance: `${from} to ${link.to}` },
        {
          'otelcol.signal': from,
          'otelcol.signal.output': link.to,
        },
      );
      announce(account, from);
      const connector = factory.create(settings, config, from, next, link.to);
      this.#middle.push({ identity: account.identity, component: connector, logger: settings.logger });
      const input = observeThrough(connector, account.edges);
      this.#connectorInputs.set(key, input);
      return input;
    });
  }

  #processor(id: string, pipeline: PipelineEntry, next: Consumer): Consumer {
    const { factory, config } = this.#config.processors.get(id)!;
    const { settings, account } = this.#settings(
      { id, kind: 'processor', instance: pipeline.id },
      {
        'otelcol.signal': pipeline.signal,
        'otelcol.pipeline.id': pipeline.id,
      },
    );
    const processor = named(id, pipeline.id, () =>
      factory.create(settings, config, pipeline.signal, observeOutput(next, account.edges)),
    );
    this.#middle.push({ identity: account.identity, component: processor, logger: settings.logger });
    return observeInput(processor, account.edges);
  }

  #receivers(): GraphNode[] {
    const used = new Set(this.#config.pipelines.flatMap(({ receivers }) => receivers));
    return [...used]
      .filter((id) => this.#config.receivers.has(id))
      .map((id) => {
        const { factory, config } = this.#config.receivers.get(id)!;
        const { settings, account } = this.#settings({ id, kind: 'receiver' }, {});
        const next: Partial<Record<Signal, Consumer>> = {};
        for (const signal of factory.signals) {
          const inputs = this.#config.pipelines
            .filter((pipeline) => pipeline.signal === signal && pipeline.receivers.includes(id))
            .map((pipeline) => this.#pipelineInput(pipeline));
          if (inputs.length === 0) continue;
          announce(account, signal);
          next[signal] = observeThrough(fanOut(inputs), account.edges);
        }
        const receiver = factory.create(settings, config, next);
        return { identity: account.identity, component: receiver, logger: settings.logger };
      });
  }

  #extension(id: string): GraphNode {
    const { factory, config } = this.#config.extensions.get(id)!;
    const { settings, account } = this.#settings({ id, kind: 'extension' }, {});
    return {
      identity: account.identity,
      component: factory.create(settings, config),
      logger: settings.logger,
    };
  }

  #settings(
    identity: ComponentIdentity,
    fields: Readonly<Record<string, string>>,
  ): { settings: Settings; account: ComponentAccount } {
    const account = this.#tools.registry.account(identity);
    const logger = this.#tools.logger.child({
      'otelcol.component.id': identity.id,
      'otelcol.component.kind': identity.kind,
      ...fields,
    });
    return {
      account,
      settings: { id: identity.id, logger, metrics: account.own, now: this.#tools.now },
    };
  }
}

/** A component that has received nothing yet is shown with zeros: absence must not look like silence. */
function announce(account: ComponentAccount, signal: Signal): void {
  account.edges.received(signal, 0);
}

/** Says which processor of which pipeline it is whose settings do not fit. */
function named<T>(id: string, pipeline: string, create: () => T): T {
  try {
    return create();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      `failed to build pipelines: failed to create ${JSON.stringify(id)} processor, in pipeline ${JSON.stringify(pipeline)}: ${error.message}`,
    );
  }
}
