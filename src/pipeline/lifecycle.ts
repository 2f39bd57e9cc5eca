/**
 * Starts and stops the components of a graph in the Collector's order: extensions, exporters, processors (downstream
 * first), receivers; and the other way round.
 */
import { setMaxListeners } from 'node:events';
import { UnsupportedError } from '../component/errors.js';
import type { Logger } from '../telemetry/logger.js';
import type { Graph, GraphNode } from './graph.js';
import type { GraphHost } from './host.js';
import type { StatusBoard } from './status-board.js';

/** Part of the deadline that receivers and processors may use; the rest is for exporters to drain. */
const INTAKE_SHARE = 0.6;
/** A component that ignores its deadline is left behind after this long. */
const GRACE_MS = 1000;

/**
 * Starts all components. When one fails, those that were started are stopped again and the error says which. A component
 * that this machine can't support is left out with a warning, unless no receiver remains.
 */
export async function startGraph(
  graph: Graph,
  host: GraphHost,
  board: StatusBoard,
  logger: Logger,
): Promise<void> {
  const startNode = (node: GraphNode) => startOne(node, host, board);
  try {
    logger.info('Starting extensions...');
    for (const node of graph.extensions) {
      node.logger.info('Extension is starting...');
      await startNode(node);
      node.logger.info('Extension started.');
    }
    for (const node of [...graph.exporters, ...graph.middle]) await startNode(node);
    const started: boolean[] = [];
    for (const node of graph.receivers) started.push(await startNode(node));
    if (started.length > 0 && !started.includes(true)) {
      throw new Error('cannot start pipelines: no receiver can run on this machine');
    }
    board.setReady(true);
  } catch (error) {
    await stopGraph(graph, board, logger, GRACE_MS);
    throw error;
  }
}

/** True when it runs, false when this machine can't support it. */
async function startOne(
  { identity, component, logger }: GraphNode,
  host: GraphHost,
  board: StatusBoard,
): Promise<boolean> {
  board.set(identity, 'starting');
  try {
    await component.start(host.of(identity, board));
    board.set(identity, 'ok');
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    board.set(identity, 'permanent_error', message);
    if (error instanceof UnsupportedError) {
      logger.warn('Component is not supported on this machine and stays off.', { error: message });
      return false;
    }
    const where = identity.kind === 'extension' ? 'extensions' : 'pipelines';
    logger.error('Failed to start component', { error: message, type: identity.kind, id: identity.id });
    throw new Error(
      `cannot start ${where}: failed to start ${JSON.stringify(identity.id)} ${identity.kind}: ${message}`,
      { cause: error },
    );
  }
}

/** Stops all components within about `timeoutMs`. Never rejects: what fails is logged. */
export async function stopGraph(
  graph: Graph,
  board: StatusBoard,
  logger: Logger,
  timeoutMs: number,
): Promise<void> {
  board.setReady(false);
  const stopNode = async (node: GraphNode, deadline: AbortSignal) => {
    board.set(node.identity, 'stopping');
    await stopOne(node, deadline);
    board.set(node.identity, 'stopped');
  };
  const intake = deadlineAfter(timeoutMs * INTAKE_SHARE);
  const end = deadlineAfter(timeoutMs);
  const stopAll = (nodes: readonly GraphNode[], deadline: AbortSignal) =>
    Promise.all(nodes.map((node) => stopNode(node, deadline)));
  await stopAll(graph.receivers, intake.signal);
  // Upstream first: what a processor flushes goes through those behind it.
  for (const node of graph.middle.toReversed()) await stopNode(node, intake.signal);
  await stopAll(graph.exporters, end.signal);
  logger.info('Stopping extensions...');
  await stopAll(graph.extensions.toReversed(), end.signal);
  intake.cancel();
  end.cancel();
}

async function stopOne({ component, logger }: GraphNode, deadline: AbortSignal): Promise<void> {
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
}

/** A signal that fires after `ms`, and a function that takes its timer away. */
function deadlineAfter(ms: number): { readonly signal: AbortSignal; readonly cancel: () => void } {
  const controller = new AbortController();
  // One listener per component, and more inside some: more than the ten that Node.js finds odd.
  setMaxListeners(0, controller.signal);
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, cancel: () => clearTimeout(timer) };
}
