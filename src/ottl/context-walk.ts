/** All places of one context in a batch, in order. */
import type { MessageNode } from '../otlp/message-node.js';
import { forEachPoint } from '../otlp/metric-points.js';
import { field } from '../otlp/wire-reader.js';
import type { ContextName, OttlContext } from './context.js';

const FIRST = field.delimited(1);
const SECOND = field.delimited(2);
const EVENTS = field.delimited(11);

/** Calls `visit` with each resource, scope, span, … of `request`. Edits of what it is given end up in `request`. */
export function walkContexts(
  request: MessageNode,
  name: ContextName,
  now: () => number,
  visit: (context: OttlContext) => void,
): void {
  for (const resourceGroup of request.children(FIRST)) {
    const ofResource: OttlContext = {
      resourceGroup,
      scopeGroup: undefined,
      item: undefined,
      part: undefined,
      metricKind: undefined,
      exemplar: undefined,
      cache: undefined,
      now,
    };
    if (name === 'resource') {
      visit(ofResource);
      continue;
    }
    for (const scopeGroup of resourceGroup.children(SECOND)) {
      const ofScope: OttlContext = { ...ofResource, scopeGroup };
      if (name === 'scope') visit(ofScope);
      else visitItems(ofScope, name, visit);
    }
  }
}

/** Visits all items of a scope, those included that a visit adds at the end. */
function visitItems(scope: OttlContext, name: ContextName, visit: (context: OttlContext) => void): void {
  let visited = 0;
  for (;;) {
    const items = scope.scopeGroup!.children(SECOND);
    if (visited === items.length) return;
    while (visited < items.length) visitItem(scope, items[visited++]!, name, visit);
  }
}

function visitItem(
  scope: OttlContext,
  item: MessageNode,
  name: ContextName,
  visit: (context: OttlContext) => void,
): void {
  const context: OttlContext = { ...scope, item };
  if (name === 'spanevent') {
    if (item.has(EVENTS)) for (const part of item.children(EVENTS)) visit({ ...context, part });
  } else if (name === 'datapoint') {
    forEachPoint(item, (part, metricKind) => visit({ ...context, part, metricKind }));
  } else if (name === 'exemplar') {
    forEachPoint(item, (part, metricKind) => {
      if (metricKind.exemplars === undefined || !part.has(metricKind.exemplars)) return;
      for (const exemplar of part.children(metricKind.exemplars))
        visit({ ...context, part, metricKind, exemplar });
    });
  } else visit(context);
}
