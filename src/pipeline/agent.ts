import { availableParallelism } from 'node:os';
import type { CheckedConfig } from '../config/settings.js';
import { accountingTable } from '../telemetry/accounting-table.js';
import type { Logger } from '../telemetry/logger.js';
import type { MetricsRegistry, Snapshot } from '../telemetry/registry.js';
import { ByteBudget } from '../transport/byte-budget.js';
import { AGENT_VIEW } from './agent-view.js';
import { buildGraph, type Graph, type GraphTools } from './graph.js';
import { GraphHost } from './host.js';
import { startGraph, stopGraph } from './lifecycle.js';
import { defaultMemoryBudget, MEMORY_BUDGET } from './memory-budget.js';
import { StatusBoard } from './status-board.js';

export interface AgentOptions {
  readonly logger: Logger;
  readonly registry: MetricsRegistry;
  readonly now?: () => number;
  /** Time for a shutdown, milliseconds. */
  readonly shutdownTimeoutMs: number;
  readonly version: string;
  /** A component asked for an orderly end. */
  readonly onStopRequest: (reason: string) => void;
}

/** The program without its command line: runs one configuration, replaces it, stops. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #tools: GraphTools;
  #running: { readonly graph: Graph; readonly board: StatusBoard } | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#tools = { logger: options.logger, registry: options.registry, now: options.now ?? Date.now };
  }

  /** Builds and starts. Rejects with `ConfigError` or with what failed to start; nothing runs then. */
  async start(config: CheckedConfig): Promise<void> {
    const { logger, version, onStopRequest } = this.#options;
    for (const warning of config.warnings) logger.warn(warning);
    const graph = buildGraph(config, this.#tools);
    logger.info('Starting kindling...', { Version: version, NumCPU: availableParallelism() });
    const host = new GraphHost(logger, onStopRequest);
    const board = new StatusBoard(config, { ...this.#tools, version });
    host.provide(AGENT_VIEW, board);
    host.provide(MEMORY_BUDGET, new ByteBudget(config.limits?.memory_budget ?? defaultMemoryBudget()));
    await startGraph(graph, host, board, logger);
    this.#running = { graph, board };
    logger.info('Everything is ready. Begin running and processing data.');
  }

  /**
   * Stops what runs and starts `config`, which has been checked. When it can't start, `previous` runs again, and the error
   * says so. Rejects only when neither runs.
   */
  async reload(config: CheckedConfig, previous: CheckedConfig): Promise<'new' | 'previous'> {
    const { logger, shutdownTimeoutMs } = this.#options;
    // Creating finds what checking can't, while the old graph still runs; what is created here holds no resources yet.
    buildGraph(config, { ...this.#tools, logger });
    logger.warn('Config updated, restart service');
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) await stopGraph(running.graph, running.board, logger, shutdownTimeoutMs);
    try {
      await this.start(config);
      return 'new';
    } catch (error) {
      logger.error('New configuration does not start. Going back to the previous one.', {
        error: error instanceof Error ? error.message : String(error),
      });
      await this.start(previous);
      return 'previous';
    }
  }

  /** Stops within about the shutdown timeout and says where every item went. Twice is harmless. */
  async stop(): Promise<void> {
    const { logger, shutdownTimeoutMs } = this.#options;
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    logger.info('Starting shutdown...');
    await stopGraph(running.graph, running.board, logger, shutdownTimeoutMs);
    logger.info('Shutdown complete.');
  }

  /** False before `start`, after `stop`, and after a reload of which nothing started. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  snapshot(): Snapshot {
    return this.#options.registry.snapshot();
  }

  /** The loss accounting as text. */
  accounting(): string {
    return accountingTable(this.snapshot().accounts);
  }
}
