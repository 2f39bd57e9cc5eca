/**
 * The components that run, and how one configuration gives way to the next: what is the same in both stays and keeps its
 * listeners, connections and queues; only what is new or different is started, and only what it replaces is stopped.
 * The first start is the way from nothing, the last stop the way back.
 *
 * Nothing that was accepted is lost on the way. From the receivers towards the exporters, each component that leaves is
 * cut off from those that stay, which hold their batches back meanwhile; what it has is sent on; then it stops.
 * Replacements start after that, since two can't have one port or file. Then everyone is connected anew and goes on.
 */
import type { Consumer } from '../component/component.js';
import { ConfigError, RetryableError } from '../component/errors.js';
import { formatProblems } from '../config/problem.js';
import type { CheckedConfig } from '../config/settings.js';
import { checkGraph } from './check-graph.js';
import { fanOut } from './fan-out.js';
import { type Deadlines, deadlinesWithin, GRACE_MS, startNode, stopNode } from './lifecycle.js';
import { createNode, type GraphNode, type NodeTools } from './node.js';
import type { Outlet } from './outlet.js';
import { type Plan, type PlannedNode, planGraph } from './plan.js';

/** What a transition did, by `kind id instance`. */
export interface Changes {
  readonly started: readonly string[];
  readonly stopped: readonly string[];
  /** Components that ran through. */
  readonly kept: number;
}

/** A change to another configuration that can be made; nothing has happened yet. */
export interface Transition {
  /** Keys of what will be stopped, except where its stop turns out to be needed later. */
  readonly leaving: ReadonlySet<string>;
  /** Keys of what will be started. */
  readonly arriving: readonly string[];
  /** Makes it. When it rejects, what had started runs and the rest does not: go back with another transition, or stop. */
  run(timeoutMs: number): Promise<Changes>;
}

type Layer = 'extension' | 'exporter' | 'middle' | 'receiver';

/** Takes the batches of a signal whose last pipeline has gone. */
const REFUSING: Consumer = {
  consume: () => Promise.reject(new RetryableError('a reload took the pipeline away')),
};

export class ComponentGraph {
  readonly #tools: NodeTools;
  /** What runs, in order of start. */
  readonly #nodes = new Map<string, GraphNode>();

  constructor(tools: NodeTools) {
    this.#tools = tools;
  }

  /** Creates what `config` needs and is not there. Throws what creating throws, and `ConfigError`; nothing changes then. */
  transitionTo(config: CheckedConfig): Transition {
    const problems = checkGraph(config);
    if (problems.length > 0) throw new ConfigError(formatProblems(problems, { prefixed: true }));
    const plan = planGraph(config);
    const leaving = this.#leaving(plan);
    const arriving = new Map<string, GraphNode>();
    for (const [key, planned] of plan) {
      if (!this.#nodes.has(key) || leaving.has(key)) arriving.set(key, createNode(planned, this.#tools));
    }
    return {
      leaving,
      arriving: [...arriving.keys()],
      run: (timeoutMs) => this.#change(plan, leaving, arriving, timeoutMs),
    };
  }

  /** Stops everything, receivers first, within about `timeoutMs`. Never rejects. */
  async stop(timeoutMs: number): Promise<void> {
    const deadlines = deadlinesWithin(timeoutMs);
    await this.#stopAll(this.#layer('receiver'), deadlines.intake);
    // Upstream first: what a processor flushes goes through those behind it.
    for (const node of this.#layer('middle').toReversed()) await this.#stop(node, deadlines.intake);
    await this.#stopAll(this.#layer('exporter'), deadlines.end);
    this.#tools.logger.info('Stopping extensions...');
    await this.#stopAll(this.#layer('extension').toReversed(), deadlines.end);
    deadlines.cancel();
    this.#tools.services.forgetRetired();
  }

  async #change(
    plan: Plan,
    leaving: ReadonlySet<string>,
    arriving: Map<string, GraphNode>,
    timeoutMs: number,
  ): Promise<Changes> {
    const deadlines = deadlinesWithin(timeoutMs);
    const kept = [...this.#nodes.keys()].filter((key) => !leaving.has(key)).length;
    const stopped = [...leaving];
    try {
      const last = this.#needlessAfter(leaving, plan);
      await this.#retire(leaving, last, deadlines);
      await this.#startLayers(['extension', 'exporter', 'middle'], arriving);
      stopped.push(...(await this.#replaceUninformed(plan, arriving, deadlines)));
      this.#connect(plan, arriving);
      await this.#startLayers(['receiver'], arriving);
      this.#checkReceivers();
      await this.#stopAll(inLayer(last, 'exporter'), deadlines.end);
      await this.#stopAll(inLayer(last, 'extension'), deadlines.end);
      this.#reorder(plan);
      return { started: [...arriving.keys()], stopped, kept };
    } finally {
      deadlines.cancel();
      this.#tools.services.forgetRetired();
    }
  }

  /** What `plan` does not want, wants otherwise, or what holds on to a service of such a one. */
  #leaving(plan: Plan): Set<string> {
    const leaving = new Set<string>();
    for (const [key, node] of this.#nodes) {
      const planned = plan.get(key);
      if (planned === undefined || !isSame(node, planned)) leaving.add(key);
    }
    const { services } = this.#tools;
    for (let before = -1; before < leaving.size; ) {
      before = leaving.size;
      for (const [key, { host }] of this.#nodes) {
        const used = [...host.used].map((name) => services.providerOf(name) ?? '');
        const asked = [...host.asked].map((name) => services.providerOf(name) ?? '');
        // Who asks anew each time need not care that another takes the place, only that nobody does.
        const isBereft = asked.some((provider) => leaving.has(provider) && !plan.has(provider));
        if (isBereft || used.some((provider) => leaving.has(provider))) leaving.add(key);
      }
    }
    return leaving;
  }

  /**
   * Of those that leave, the exporters that nothing replaces, and the extensions that these need: they may take their
   * time to send what they have, while the new pipelines run.
   */
  #needlessAfter(leaving: ReadonlySet<string>, plan: Plan): GraphNode[] {
    const gone = this.#layer('exporter').filter(({ plan: { key }, host }) => {
      const providers = [...host.used, ...host.asked].map(
        (name) => this.#tools.services.providerOf(name) ?? '',
      );
      return leaving.has(key) && !plan.has(key) && !providers.some((it) => leaving.has(it) && plan.has(it));
    });
    const needed = new Set(
      gone.flatMap(({ host }) =>
        [...host.used, ...host.asked].map((name) => this.#tools.services.providerOf(name)),
      ),
    );
    const extensions = this.#layer('extension').filter(
      ({ plan: { key } }) => leaving.has(key) && !plan.has(key) && needed.has(key),
    );
    return [...gone, ...extensions];
  }

  /** Stops those that leave and do not stay for `last`, in the direction of the data. */
  async #retire(
    leaving: ReadonlySet<string>,
    last: readonly GraphNode[],
    deadlines: Deadlines,
  ): Promise<void> {
    const of = (layer: Layer) =>
      this.#layer(layer).filter((node) => leaving.has(node.plan.key) && !last.includes(node));
    await this.#stopAll(of('receiver'), deadlines.intake);
    for (const node of of('middle').toReversed()) {
      await this.#cutOff([node], deadlines.intake);
      await this.#stop(node, deadlines.intake);
    }
    await this.#cutOff(of('exporter'), deadlines.intake);
    await this.#stopAll(of('exporter'), deadlines.end);
    const extensions = of('extension').toReversed();
    if (extensions.length > 0) this.#tools.logger.info('Stopping extensions...');
    await this.#stopAll(extensions, deadlines.end);
  }

  /** Nobody sends to `nodes` any more, and what was on its way there has arrived, unless `deadline` is earlier. */
  async #cutOff(nodes: readonly GraphNode[], deadline: AbortSignal): Promise<void> {
    const outlets: Outlet[] = [];
    for (const { outputs } of this.#nodes.values()) {
      for (const { outlet, feeds } of outputs.values()) {
        if (nodes.some(({ plan }) => feeds.includes(plan.key))) outlets.push(outlet);
      }
    }
    for (const outlet of outlets) outlet.hold();
    await Promise.all(outlets.map((outlet) => outlet.idle(deadline)));
  }

  async #startLayers(layers: readonly Layer[], arriving: ReadonlyMap<string, GraphNode>): Promise<void> {
    for (const layer of layers) {
      const nodes = inLayer([...arriving.values()], layer);
      if (layer === 'extension' && (nodes.length > 0 || this.#nodes.size === 0)) {
        this.#tools.logger.info('Starting extensions...');
      }
      for (const node of nodes) {
        this.#nodes.set(node.plan.key, node);
        try {
          await startNode(node, this.#tools.setStatus);
        } catch (error) {
          await this.#stop(node, AbortSignal.timeout(GRACE_MS));
          throw error;
        }
      }
    }
  }

  /** A receiver that stays, and looked in vain for what somebody provides now, starts again to find it. */
  async #replaceUninformed(
    plan: Plan,
    arriving: Map<string, GraphNode>,
    { intake }: Deadlines,
  ): Promise<string[]> {
    const replaced: string[] = [];
    for (const node of this.#layer('receiver')) {
      const { key } = node.plan;
      if (![...node.host.missed].some((name) => this.#tools.services.has(name))) continue;
      await this.#stop(node, intake);
      arriving.set(key, createNode(plan.get(key)!, this.#tools));
      replaced.push(key);
    }
    return replaced;
  }

  /** Leads all outputs to where `plan` wants them, and lets go of what was held back. */
  #connect(plan: Plan, arriving: ReadonlyMap<string, GraphNode>): void {
    const nodeOf = (key: string): GraphNode | undefined => arriving.get(key) ?? this.#nodes.get(key);
    for (const [key, planned] of plan) {
      const node = nodeOf(key);
      if (node === undefined) continue;
      node.plan = planned;
      const { role } = planned;
      const before = [...node.outputs];
      if (role.kind === 'receiver' && !hasSignals(node, role.next)) node.refeed?.(role);
      for (const [signal, { outlet }] of before) {
        if (node.outputs.has(signal)) continue;
        outlet.connect(REFUSING);
        outlet.release();
      }
      for (const [signal, output] of node.outputs) {
        output.feeds = feedsOf(planned, signal);
        output.outlet.connect(fanOut(output.feeds.map((id) => nodeOf(id)?.input ?? REFUSING)));
        output.outlet.release();
      }
    }
  }

  #checkReceivers(): void {
    const receivers = this.#layer('receiver');
    if (receivers.length > 0 && !receivers.some(({ running }) => running)) {
      throw new Error('cannot start pipelines: no receiver can run on this machine');
    }
  }

  /** Puts the nodes into the order of `plan`, by which they are stopped. */
  #reorder(plan: Plan): void {
    const ordered = [...plan.keys()].flatMap((key) => this.#nodes.get(key) ?? []);
    this.#nodes.clear();
    for (const node of ordered) this.#nodes.set(node.plan.key, node);
  }

  #layer(layer: Layer): GraphNode[] {
    return inLayer([...this.#nodes.values()], layer);
  }

  async #stopAll(nodes: readonly GraphNode[], deadline: AbortSignal): Promise<void> {
    await Promise.all(nodes.map((node) => this.#stop(node, deadline)));
  }

  async #stop(node: GraphNode, deadline: AbortSignal): Promise<void> {
    await stopNode(node, deadline, this.#tools.setStatus);
    this.#nodes.delete(node.plan.key);
  }
}

function inLayer(nodes: readonly GraphNode[], layer: Layer): GraphNode[] {
  return nodes.filter(({ plan: { identity } }) =>
    layer === 'middle'
      ? identity.kind === 'processor' || identity.kind === 'connector'
      : identity.kind === layer,
  );
}

/** True when the component of `node` can go on as `planned`. */
function isSame(node: GraphNode, { entry, role }: PlannedNode): boolean {
  const before = node.plan.entry;
  if (before.factory !== entry.factory || before.fingerprint !== entry.fingerprint) return false;
  return role.kind !== 'receiver' || node.refeed !== undefined || hasSignals(node, role.next);
}

const hasSignals = ({ outputs }: GraphNode, signals: ReadonlyMap<string, unknown>): boolean =>
  outputs.size === signals.size && [...outputs.keys()].every((signal) => signals.has(signal));

function feedsOf({ role }: PlannedNode, signal: string): readonly string[] {
  switch (role.kind) {
    case 'processor':
    case 'connector':
      return role.next;
    case 'receiver':
      return [...role.next].find(([name]) => name === signal)?.[1] ?? [];
    default:
      return [];
  }
}
