/**
 * What a statement sees: one item and everything around it.
 *
 *     context                      sees
 *     resource                     the resource
 *     scope                        its scope, and the resource
 *     span, metric, log            itself, and its scope and resource
 *     spanevent, datapoint         itself, its span or metric, and their scope and resource
 *     exemplar                     itself, and its data point with all that that sees
 */
import type { MessageNode } from '../otlp/message-node.js';
import type { MetricKind } from '../otlp/metric-points.js';
import type { TypedValue } from '../otlp/typed-value.js';
import type { OttlValue } from './values.js';

/** What a path may begin with. `instrumentation_scope` is an old name of `scope`. */
export type PathContext = ContextName | 'instrumentation_scope';

export type ContextName =
  | 'resource'
  | 'scope'
  | 'span'
  | 'spanevent'
  | 'metric'
  | 'datapoint'
  | 'exemplar'
  | 'log';

/** One place in a batch. Nodes below the context's level are undefined. */
export interface OttlContext {
  /** The ResourceSpans (ResourceMetrics, ResourceLogs), not the Resource in it. */
  readonly resourceGroup: MessageNode;
  readonly scopeGroup: MessageNode | undefined;
  readonly item: MessageNode | undefined;
  /** The event of a span or the data point of a metric. */
  readonly part: MessageNode | undefined;
  readonly metricKind: MetricKind | undefined;
  /** The exemplar of a data point. */
  readonly exemplar: MessageNode | undefined;
  /** `cache`: a place for values between statements. */
  cache: Map<string, TypedValue> | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Contexts that paths of a context may begin with. */
export const VISIBLE: Readonly<Record<ContextName, readonly PathContext[]>> = {
  resource: ['resource'],
  scope: ['scope', 'resource'],
  span: ['span', 'resource', 'scope', 'instrumentation_scope'],
  spanevent: ['spanevent', 'span', 'resource', 'scope', 'instrumentation_scope'],
  metric: ['metric', 'resource', 'scope', 'instrumentation_scope'],
  datapoint: ['datapoint', 'metric', 'resource', 'scope', 'instrumentation_scope'],
  exemplar: ['exemplar', 'datapoint', 'metric', 'resource', 'scope', 'instrumentation_scope'],
  log: ['log', 'resource', 'scope', 'instrumentation_scope'],
};

export const isVisible = (context: ContextName, name: string): boolean =>
  (VISIBLE[context] as readonly string[]).includes(name);

export type Getter = (context: OttlContext) => OttlValue;

/** A place that can be read and written. */
export interface Access {
  readonly get: Getter;
  readonly set: (context: OttlContext, value: OttlValue) => void;
  /** Where it stands for all attributes of a message: that message and the tag of its attributes. */
  readonly attributes?: {
    readonly node: (context: OttlContext, edit?: true) => MessageNode;
    readonly tag: (context: OttlContext) => number;
  };
}
