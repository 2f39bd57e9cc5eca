import type { Settings } from '../../component/component.js';
import { ConfigError } from '../../component/errors.js';
import type { Batch } from '../../component/signal.js';
import type { Matcher } from '../../match/compile.js';
import { applyDecisions, type ItemDecision, walkItemNodes } from '../../otlp/item-walk.js';
import type { MessageNode } from '../../otlp/message-node.js';
import { DATA_POINT, kindOfMetric, type MetricKind } from '../../otlp/metric-points.js';
import { field } from '../../otlp/wire-reader.js';
import type { OttlContext } from '../../ottl/context.js';
import { FailureLog } from '../../ottl/error-mode.js';
import type { Mapped } from '../../pipeline/map-processor.js';
import { compileFilter, type FilterCondition, type FilterConditions, type FilterSignal } from './compile.js';
import type { FilterConfig } from './config.js';
import { compileProperties } from './properties.js';

const EVENTS = field.delimited(11);
/** The Resource in a group of it, the scope in a group of it. */
const FIRST = field.delimited(1);

/**
 * Takes items out of batches. Decisions are made on the encoded bytes; what stays is copied as it is, and a batch of which
 * nothing goes away is passed on itself. An item whose events or data points are thinned out is written anew.
 */
export function filterMapper(
  settings: Settings,
  config: FilterConfig,
  signal: FilterSignal,
): (batch: Batch) => Mapped {
  const conditions = compileFilter(config, signal);
  const isKept = propertiesOf(config, signal);
  return ({ bytes, itemCount }) => {
    const failures = new FailureLog();
    const decisions: ItemDecision[] = [];
    const decider = new Decider(conditions, failures, settings.now);
    walkItemNodes(bytes, (item, resourceGroup, scopeGroup) => {
      const isMatched = isKept?.(item, resourceGroup.look(FIRST), scopeGroup.look(FIRST)) ?? true;
      decisions.push(isMatched && decider.decide(signal, item, resourceGroup, scopeGroup));
    });
    failures.finish(settings, 'failed to eval condition');
    const rest = applyDecisions(signal, bytes, decisions);
    return { ...rest, dropped: { filtered: itemCount - rest.itemCount } };
  };
}

function propertiesOf(config: FilterConfig, signal: FilterSignal): Matcher | undefined {
  try {
    return compileProperties(config, signal);
  } catch (error) {
    // What fits no item of this signal is known only when a pipeline names the processor.
    throw new ConfigError((error as Error).message);
  }
}

/** Decides about the items of one batch. */
class Decider {
  readonly #conditions: FilterConditions;
  readonly #failures: FailureLog;
  readonly #now: () => number;
  /** Groups decided about already. */
  readonly #groups = new Map<MessageNode, boolean>();

  constructor(conditions: FilterConditions, failures: FailureLog, now: () => number) {
    this.#conditions = conditions;
    this.#failures = failures;
    this.#now = now;
  }

  decide(
    signal: FilterSignal,
    item: MessageNode,
    resourceGroup: MessageNode,
    scopeGroup: MessageNode,
  ): ItemDecision {
    const { resource, scope, span, spanevent, metric, datapoint, log } = this.#conditions;
    const context: OttlContext = {
      resourceGroup,
      scopeGroup,
      item,
      part: undefined,
      metricKind: undefined,
      exemplar: undefined,
      cache: undefined,
      now: this.#now,
    };
    if (resource !== undefined && this.#group(resourceGroup, resource, context)) return false;
    if (scope !== undefined && this.#group(scopeGroup, scope, context)) return false;
    if (this.#any({ traces: span, metrics: metric, logs: log }[signal], context)) return false;
    if (spanevent !== undefined) return this.#thinOut(item, EVENTS, undefined, spanevent, context);
    const kind = datapoint === undefined ? undefined : kindOfMetric(item);
    if (datapoint === undefined || kind === undefined) return true;
    const left = this.#thinOut(item, DATA_POINT, kind, datapoint, context);
    // A metric that lost all its data points says nothing any more.
    return left !== true && item.child(kind.tag).children(DATA_POINT).length === 0 ? false : left;
  }

  #group(group: MessageNode, conditions: readonly FilterCondition[], context: OttlContext): boolean {
    let holds = this.#groups.get(group);
    if (holds === undefined) {
      holds = this.#any(conditions, { ...context, item: undefined });
      this.#groups.set(group, holds);
    }
    return holds;
  }

  /** Removes the parts of an item for which a condition holds: events of a span, data points of a metric. */
  #thinOut(
    item: MessageNode,
    tag: number,
    metricKind: MetricKind | undefined,
    conditions: readonly FilterCondition[],
    context: OttlContext,
  ): ItemDecision {
    if (metricKind === undefined && !item.has(tag)) return true;
    const owner = metricKind === undefined ? item : item.child(metricKind.tag);
    owner.retain(tag, (part) => !this.#any(conditions, { ...context, part, metricKind, cache: undefined }));
    return item.isChanged ? item.encode() : true;
  }

  #any(conditions: readonly FilterCondition[] | undefined, context: OttlContext): boolean {
    if (conditions === undefined) return false;
    for (const condition of conditions) {
      try {
        if (condition.test(context)) return true;
      } catch (error) {
        this.#failures.add(condition.errorMode, 'failed to eval condition', condition.text, error);
      }
    }
    return false;
  }
}
