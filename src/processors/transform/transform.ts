import type { Settings } from '../../component/component.js';
import type { Batch } from '../../component/signal.js';
import { MessageNode } from '../../otlp/message-node.js';
import type { OttlContext } from '../../ottl/context.js';
import { walkContexts } from '../../ottl/context-walk.js';
import { FailureLog } from '../../ottl/error-mode.js';
import type { Mapped } from '../../pipeline/map-processor.js';
import { type CompiledGroup, compileTransform, type TransformSignal } from './compile.js';
import type { TransformConfig } from './config.js';

/**
 * Runs statements on every item. Groups run one after the other, each on the whole batch. What no statement changes stays as
 * its bytes are, and a batch that none changes is passed on itself.
 */
export function transformMapper(
  settings: Settings,
  config: TransformConfig,
  signal: TransformSignal,
): (batch: Batch) => Mapped {
  const groups = compileTransform(config, signal);
  return ({ bytes, itemCount }) => {
    const request = new MessageNode(bytes);
    const failures = new FailureLog();
    for (const group of groups) {
      walkContexts(request, group.context, settings.now, (context) => run(group, context, failures));
    }
    failures.finish(settings, 'failed to execute statement');
    return { bytes: request.encode(), itemCount };
  };
}

function run(group: CompiledGroup, context: OttlContext, failures: FailureLog): void {
  if (!applies(group, context, failures)) return;
  for (const statement of group.statements) {
    try {
      statement.run(context);
    } catch (error) {
      failures.add(group.errorMode, 'failed to execute statement', statement.text, error);
    }
  }
}

function applies(group: CompiledGroup, context: OttlContext, failures: FailureLog): boolean {
  if (group.conditions.length === 0) return true;
  for (const condition of group.conditions) {
    try {
      if (condition.test(context)) return true;
    } catch (error) {
      failures.add(group.errorMode, 'failed to eval condition', condition.text, error);
    }
  }
  return false;
}
