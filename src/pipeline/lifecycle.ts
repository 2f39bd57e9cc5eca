/** Starts and stops one component, with what the log and the status say of it. */
import { setMaxListeners } from 'node:events';
import { UnsupportedError } from '../component/errors.js';
import type { ComponentIdentity } from '../telemetry/registry.js';
import type { ComponentStatus } from './agent-view.js';
import type { GraphNode } from './node.js';

/** Part of a deadline that receivers and processors may use; the rest is for exporters to drain. */
const INTAKE_SHARE = 0.6;
/** A component that ignores its deadline is left behind after this long. */
export const GRACE_MS = 1000;

type SetStatus = (identity: ComponentIdentity, status: ComponentStatus, error?: string) => void;

/**
 * Rejects with the Collector's sentence when the component does not start; it is stopped then. One that this machine
 * can't support stays off, with a warning.
 */
export async function startNode(node: GraphNode, setStatus: SetStatus): Promise<void> {
  const { component, logger, host } = node;
  const { identity } = node.plan;
  const isExtension = identity.kind === 'extension';
  if (isExtension) logger.info('Extension is starting...');
  setStatus(identity, 'starting');
  try {
    await component.start(host);
    host.started();
    node.running = true;
    setStatus(identity, 'ok');
    if (isExtension) logger.info('Extension started.');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    setStatus(identity, 'permanent_error', message);
    if (error instanceof UnsupportedError) {
      host.started();
      logger.warn('Component is not supported on this machine and stays off.', { error: message });
      return;
    }
    logger.error('Failed to start component', { error: message, type: identity.kind, id: identity.id });
    throw new Error(
      `cannot start ${isExtension ? 'extensions' : 'pipelines'}: ` +
        `failed to start ${JSON.stringify(identity.id)} ${identity.kind}: ${message}`,
      { cause: error },
    );
  }
}

/** Never rejects: what fails is logged. */
export async function stopNode(node: GraphNode, deadline: AbortSignal, setStatus: SetStatus): Promise<void> {
  const { component, logger, host } = node;
  setStatus(node.plan.identity, 'stopping');
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const late = new Promise<'late'>((resolve) => {
    onAbort = () => {
      timer = setTimeout(() => resolve('late'), GRACE_MS);
    };
    if (deadline.aborted) onAbort();
    else deadline.addEventListener('abort', onAbort, { once: true });
  });
  try {
    const result = await Promise.race([component.shutdown(deadline), late]);
    if (result === 'late') logger.error('Component did not stop within its deadline.');
  } catch (error) {
    logger.error('Component failed to stop.', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  } finally {
    clearTimeout(timer);
    deadline.removeEventListener('abort', onAbort);
  }
  node.running = false;
  host.gone();
  setStatus(node.plan.identity, 'stopped');
}

/** How long a stop may take: `intake` for receivers and processors, `end` for all. Call `cancel` when it is over. */
export interface Deadlines {
  readonly intake: AbortSignal;
  readonly end: AbortSignal;
  cancel(): void;
}

export function deadlinesWithin(timeoutMs: number): Deadlines {
  const intake = deadlineAfter(timeoutMs * INTAKE_SHARE);
  const end = deadlineAfter(timeoutMs);
  return {
    intake: intake.signal,
    end: end.signal,
    cancel: () => {
      intake.cancel();
      end.cancel();
    },
  };
}

/** A signal that fires after `ms`, and a function that takes its timer away. */
function deadlineAfter(ms: number): { readonly signal: AbortSignal; readonly cancel: () => void } {
  const controller = new AbortController();
  // One listener per component, and more inside some: more than the ten that Node.js finds odd.
  setMaxListeners(0, controller.signal);
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, cancel: () => clearTimeout(timer) };
}
