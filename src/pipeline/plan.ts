/**
 * Which components a configuration needs and who feeds whom, before any exists. Rules of the Collector: a receiver is
 * shared by all pipelines that name it, a processor belongs to one pipeline, an exporter exists once per signal, a
 * connector once per pair of signals.
 */
import type { Signal } from '../component/signal.js';
import type { CheckedConfig, ComponentEntry, PipelineEntry } from '../config/settings.js';
import type { ComponentIdentity } from '../telemetry/registry.js';
import { linksFrom, pipelinesFedBy } from './check-graph.js';

/** What a component is created for, with the ids of what takes its output. */
export type Role =
  | { readonly kind: 'extension' }
  | { readonly kind: 'exporter'; readonly signal: Signal }
  | {
      readonly kind: 'processor';
      readonly signal: Signal;
      readonly pipeline: string;
      readonly next: readonly string[];
    }
  | {
      readonly kind: 'connector';
      readonly from: Signal;
      readonly to: Signal;
      readonly next: readonly string[];
    }
  | { readonly kind: 'receiver'; readonly next: ReadonlyMap<Signal, readonly string[]> };

export interface PlannedNode {
  /** Tells the instances of all components apart; the same in each configuration. */
  readonly key: string;
  readonly identity: ComponentIdentity;
  readonly entry: ComponentEntry;
  readonly role: Role;
}

/** Nodes in the order in which they start: extensions, exporters, processors and connectors downstream first, receivers. */
export type Plan = ReadonlyMap<string, PlannedNode>;

export const keyOf = ({ kind, id, instance = '' }: ComponentIdentity): string => `${kind} ${id} ${instance}`;

/** `config` must have passed `checkGraph`. */
export function planGraph(config: CheckedConfig): Plan {
  return new Planner(config).plan();
}

class Planner {
  readonly #config: CheckedConfig;
  readonly #exporters: PlannedNode[] = [];
  readonly #middle: PlannedNode[] = [];
  readonly #known = new Set<string>();
  /** Keys of the first nodes of each pipeline. */
  readonly #inputs = new Map<string, readonly string[]>();

  constructor(config: CheckedConfig) {
    this.#config = config;
  }

  plan(): Plan {
    for (const pipeline of this.#config.pipelines) this.#inputOf(pipeline);
    const extensions = this.#config.enabledExtensions.map((id) =>
      planned({ kind: 'extension', id }, this.#config.extensions.get(id)!, { kind: 'extension' }),
    );
    const nodes = [...extensions, ...this.#exporters, ...this.#middle, ...this.#receivers()];
    return new Map(nodes.map((node) => [node.key, node]));
  }

  #inputOf(pipeline: PipelineEntry): readonly string[] {
    const existing = this.#inputs.get(pipeline.id);
    if (existing !== undefined) return existing;
    let next = pipeline.exporters.flatMap((id) =>
      this.#config.connectors.has(id)
        ? this.#connectors(id, pipeline.signal)
        : [this.#exporter(id, pipeline.signal)],
    );
    for (const id of pipeline.processors.toReversed()) next = [this.#processor(id, pipeline, next)];
    this.#inputs.set(pipeline.id, next);
    return next;
  }

  #exporter(id: string, signal: Signal): string {
    const entry = this.#config.exporters.get(id)!;
    const node = planned({ kind: 'exporter', id, instance: signal }, entry, { kind: 'exporter', signal });
    if (!this.#known.has(node.key)) this.#exporters.push(node);
    this.#known.add(node.key);
    return node.key;
  }

  #connectors(id: string, from: Signal): string[] {
    return linksFrom(this.#config, id, from).map((link) => {
      const { to } = link;
      const identity: ComponentIdentity = { kind: 'connector', id, instance: `${from} to ${to}` };
      const key = keyOf(identity);
      if (this.#known.has(key)) return key;
      this.#known.add(key);
      const next = pipelinesFedBy(this.#config, link).flatMap((pipeline) => this.#inputOf(pipeline));
      const entry = this.#config.connectors.get(id)!;
      this.#middle.push(planned(identity, entry, { kind: 'connector', from, to, next }));
      return key;
    });
  }

  #processor(id: string, { id: pipeline, signal }: PipelineEntry, next: readonly string[]): string {
    const node = planned({ kind: 'processor', id, instance: pipeline }, this.#config.processors.get(id)!, {
      kind: 'processor',
      signal,
      pipeline,
      next,
    });
    this.#middle.push(node);
    return node.key;
  }

  #receivers(): PlannedNode[] {
    const used = new Set(this.#config.pipelines.flatMap(({ receivers }) => receivers));
    return [...used]
      .filter((id) => this.#config.receivers.has(id))
      .map((id) => {
        const entry = this.#config.receivers.get(id)!;
        const next = new Map<Signal, readonly string[]>();
        for (const signal of entry.factory.signals) {
          const fed = this.#config.pipelines.filter(
            (pipeline) => pipeline.signal === signal && pipeline.receivers.includes(id),
          );
          if (fed.length > 0)
            next.set(
              signal,
              fed.flatMap((pipeline) => this.#inputOf(pipeline)),
            );
        }
        return planned({ kind: 'receiver', id }, entry, { kind: 'receiver', next });
      });
  }
}

const planned = (identity: ComponentIdentity, entry: ComponentEntry, role: Role): PlannedNode => ({
  key: keyOf(identity),
  identity,
  entry,
  role,
});
