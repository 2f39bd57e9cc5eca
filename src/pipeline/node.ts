/** A component that exists, with its place in the graph. */
import type { Component, Consumer, Receiver, ReceiverOutputs, Settings } from '../component/component.js';
import type {
  ConnectorFactory,
  ExporterFactory,
  ExtensionFactory,
  ProcessorFactory,
  ReceiverFactory,
} from '../component/factory.js';
import type { Signal } from '../component/signal.js';
import type { ComponentAccount } from '../telemetry/component-account.js';
import type { Logger } from '../telemetry/logger.js';
import type { OwnTracing } from '../telemetry/own-traces.js';
import type { MetricsRegistry } from '../telemetry/registry.js';
import { type HostTools, NodeHost } from './host.js';
import { observeInput, observeOutput, observeThrough } from './observed.js';
import { Outlet } from './outlet.js';
import type { PlannedNode, Role } from './plan.js';

export interface NodeTools extends HostTools {
  readonly registry: MetricsRegistry;
  readonly tracing: OwnTracing;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Where a node sends, by signal. */
export interface NodeOutput {
  readonly outlet: Outlet;
  /** Keys of the nodes that it feeds. */
  feeds: readonly string[];
}

/** Created by `createNode`; `start` and `stop` of `lifecycle.ts` run it. */
export interface GraphNode {
  /** What it was made for; a reload that keeps the node puts the new plan here. */
  plan: PlannedNode;
  readonly component: Component;
  readonly logger: Logger;
  readonly host: NodeHost;
  /** What those who feed it call; receivers and extensions have none. */
  readonly input: Consumer | undefined;
  readonly outputs: Map<Signal, NodeOutput>;
  /** Has the node feed the signals of `role`. Only for receivers that can. */
  readonly refeed: ((role: Role) => void) | undefined;
  /** False until it runs, and where this machine can't support it. */
  running: boolean;
}

/** Creates the component of `plan`; nothing starts, and its outputs lead nowhere yet. */
export function createNode(plan: PlannedNode, tools: NodeTools): GraphNode {
  const { identity, entry, role, key } = plan;
  const account = tools.registry.account(identity);
  const logger = tools.logger.child({
    'otelcol.component.id': identity.id,
    'otelcol.component.kind': identity.kind,
    ...fieldsOf(role),
  });
  const settings: Settings = { id: identity.id, logger, metrics: account.own, now: tools.now };
  const common = { plan, logger, host: new NodeHost(key, identity, tools), running: false };
  const none = { outputs: new Map<Signal, NodeOutput>(), refeed: undefined };
  // The factory's kind is that of the section, which is that of the role.
  switch (role.kind) {
    case 'extension': {
      const component = (entry.factory as ExtensionFactory).create(settings, entry.config);
      return { ...common, ...none, component, input: undefined };
    }
    case 'exporter': {
      announce(account, role.signal);
      const component = (entry.factory as ExporterFactory).create(settings, entry.config, role.signal);
      const traced = tools.tracing.exporting(identity.id, role.signal, component);
      return { ...common, ...none, component, input: observeThrough(traced, account.edges) };
    }
    case 'processor': {
      const outlet = new Outlet();
      const component = (entry.factory as ProcessorFactory).create(
        settings,
        entry.config,
        role.signal,
        observeOutput(outlet, account.edges),
      );
      const outputs = new Map([[role.signal, { outlet, feeds: role.next }]]);
      return {
        ...common,
        component,
        input: observeInput(component, account.edges),
        outputs,
        refeed: undefined,
      };
    }
    case 'connector': {
      announce(account, role.from);
      const outlet = new Outlet();
      const component = (entry.factory as ConnectorFactory).create(
        settings,
        entry.config,
        role.from,
        outlet,
        role.to,
      );
      const outputs = new Map([[role.to, { outlet, feeds: role.next }]]);
      return {
        ...common,
        component,
        input: observeThrough(component, account.edges),
        outputs,
        refeed: undefined,
      };
    }
    case 'receiver': {
      const mouth = new ReceiverMouth(account, tools.tracing);
      const receiver: Receiver = (entry.factory as ReceiverFactory).create(
        settings,
        entry.config,
        mouth.feed(role.next),
      );
      const refeed =
        receiver.feed === undefined
          ? undefined
          : (other: Role) => {
              if (other.kind === 'receiver') receiver.feed?.(mouth.feed(other.next));
            };
      return { ...common, component: receiver, input: undefined, outputs: mouth.outputs, refeed };
    }
  }
}

/** The outputs of a receiver, whose signals may change. */
class ReceiverMouth {
  readonly outputs = new Map<Signal, NodeOutput>();
  readonly #account: ComponentAccount;
  readonly #tracing: OwnTracing;
  readonly #consumers = new Map<Signal, Consumer>();

  constructor(account: ComponentAccount, tracing: OwnTracing) {
    this.#account = account;
    this.#tracing = tracing;
  }

  feed(next: ReadonlyMap<Signal, readonly string[]>): ReceiverOutputs {
    for (const signal of [...this.outputs.keys()]) {
      // Its outlet stays connected for those that are on their way.
      if (!next.has(signal)) this.outputs.delete(signal);
    }
    const consumers: ReceiverOutputs = {};
    for (const [signal, feeds] of next) {
      if (!this.outputs.has(signal)) {
        announce(this.#account, signal);
        const outlet = new Outlet();
        this.outputs.set(signal, { outlet, feeds });
        const { id } = this.#account.identity;
        const traced = this.#tracing.receiving(id, signal, outlet);
        this.#consumers.set(signal, observeThrough(traced, this.#account.edges));
      }
      consumers[signal] = this.#consumers.get(signal)!;
    }
    return consumers;
  }
}

function fieldsOf(role: Role): Readonly<Record<string, string>> {
  switch (role.kind) {
    case 'exporter':
      return { 'otelcol.signal': role.signal };
    case 'processor':
      return { 'otelcol.signal': role.signal, 'otelcol.pipeline.id': role.pipeline };
    case 'connector':
      return { 'otelcol.signal': role.from, 'otelcol.signal.output': role.to };
    default:
      return {};
  }
}

/** A component that has received nothing yet is shown with zeros: absence must not look like silence. */
function announce(account: ComponentAccount, signal: Signal): void {
  account.edges.received(signal, 0);
}
