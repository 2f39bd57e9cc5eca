import { compileAction } from '../../attribute-actions/compile.js';
import { ConfigError } from '../../component/errors.js';
import type { Batch, Signal } from '../../component/signal.js';
import { compileMatch, type ItemKind, type Matcher } from '../../match/compile.js';
import { MessageNode } from '../../otlp/message-node.js';
import { forEachPoint } from '../../otlp/metric-points.js';
import { field } from '../../otlp/wire-reader.js';
import type { Mapped } from '../../pipeline/map-processor.js';
import type { AttributesConfig } from './config.js';

const FIRST = field.delimited(1);
const SECOND = field.delimited(2);
const SPAN_ATTRIBUTES = field.delimited(9);
const LOG_ATTRIBUTES = field.delimited(6);

/** Applies the actions to every item that `include` and `exclude` leave. Items that nothing is done to stay as they are. */
export function attributesMapper(config: AttributesConfig, signal: Signal): (batch: Batch) => Mapped {
  const actions = config.actions.map(compileAction);
  const matches = matcherFor(config, signal);
  return ({ bytes, itemCount, origin }) => {
    const request = new MessageNode(bytes);
    const act = (node: MessageNode, tag: number) => {
      for (const action of actions) action(node, tag, origin);
    };
    for (const group of request.children(FIRST)) {
      const resource = group.child(FIRST);
      for (const scopeGroup of group.children(SECOND)) {
        const scope = scopeGroup.child(FIRST);
        for (const item of scopeGroup.children(SECOND)) {
          if (!matches(item, resource, scope)) continue;
          if (signal === 'metrics') forEachPoint(item, (point, kind) => act(point, kind.attributes));
          else act(item, signal === 'traces' ? SPAN_ATTRIBUTES : LOG_ATTRIBUTES);
        }
      }
    }
    return { bytes: request.encode(), itemCount };
  };
}

const KINDS: Readonly<Record<string, ItemKind>> = { traces: 'span', metrics: 'metric', logs: 'log' };

function matcherFor(config: AttributesConfig, signal: Signal): Matcher {
  try {
    return compileMatch(config, KINDS[signal]!);
  } catch (error) {
    // Settings that fit one kind of item may not fit the pipeline that names this processor.
    throw new ConfigError((error as Error).message);
  }
}
