import { availableParallelism } from 'node:os';
import type { CheckedConfig } from '../config/settings.js';
import { accountingTable } from '../telemetry/accounting-table.js';
import type { Logger } from '../telemetry/logger.js';
import { OWN_TRACES, OwnTracing } from '../telemetry/own-traces.js';
import type { MetricsRegistry, Snapshot } from '../telemetry/registry.js';
import { AGENT_VIEW } from './agent-view.js';
import { type Changes, ComponentGraph } from './graph.js';
import { Services } from './host.js';
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

const READY = 'Everything is ready. Begin running and processing data.';

/** The program without its command line: runs one configuration, replaces it, stops. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #board: StatusBoard;
  readonly #services = new Services();
  readonly #graph: ComponentGraph;
  #running: CheckedConfig | undefined;

  constructor(options: AgentOptions) {
    const { logger, registry, version, onStopRequest, now = Date.now } = options;
    this.#options = options;
    const board = new StatusBoard({ registry, now, version });
    const services = this.#services;
    const tracing = new OwnTracing();
    services.provide(AGENT_VIEW, board);
    services.provide(OWN_TRACES, tracing);
    this.#board = board;
    this.#graph = new ComponentGraph({
      logger,
      registry,
      tracing,
      now,
      services,
      onStopRequest,
      setStatus: (identity, status, error) => board.set(identity, status, error),
    });
  }

  /** Builds and starts. Rejects with `ConfigError` or with what failed to start; nothing runs then. */
  async start(config: CheckedConfig): Promise<void> {
    const { logger, version } = this.#options;
    for (const warning of config.warnings) logger.warn(warning);
    const transition = this.#graph.transitionTo(config);
    logger.info('Starting kindling...', { Version: version, NumCPU: availableParallelism() });
    try {
      await this.#change(config, () => transition.run(this.#options.shutdownTimeoutMs));
    } catch (error) {
      await this.#abandon();
      throw error;
    }
    logger.info(READY);
  }

  /**
   * Goes over to `config`, which has been checked: what is the same in both configurations runs on. When something does
   * not start, the configuration before it runs again, and the log says why. Rejects when `config` can't be built, and
   * then nothing has changed; or when neither runs.
   */
  async reload(config: CheckedConfig): Promise<'new' | 'previous'> {
    const { logger, shutdownTimeoutMs } = this.#options;
    const previous = this.#running;
    if (previous === undefined) throw new Error('nothing runs');
    const transition = this.#graph.transitionTo(config);
    for (const warning of config.warnings) logger.warn(warning);
    logger.warn('Config updated, restart service', {
      stop: [...transition.leaving],
      start: transition.arriving,
    });
    try {
      await this.#change(config, () => transition.run(shutdownTimeoutMs));
      logger.info(READY);
      return 'new';
    } catch (error) {
      logger.error('New configuration does not start. Going back to the previous one.', {
        error: error instanceof Error ? error.message : String(error),
      });
    }
    try {
      await this.#change(previous, () => this.#graph.transitionTo(previous).run(shutdownTimeoutMs));
      logger.info(READY);
      return 'previous';
    } catch (error) {
      await this.#abandon();
      throw error;
    }
  }

  /** Stops within about the shutdown timeout and says where every item went. Twice is harmless. */
  async stop(): Promise<void> {
    const { logger, shutdownTimeoutMs } = this.#options;
    if (this.#running === undefined) return;
    this.#running = undefined;
    logger.info('Starting shutdown...');
    this.#board.setReady(false);
    await this.#graph.stop(shutdownTimeoutMs);
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

  async #change(config: CheckedConfig, run: () => Promise<Changes>): Promise<void> {
    this.#board.show(config);
    await run();
    this.#running = config;
    this.#board.forgetStopped();
    this.#board.setReady(true);
  }

  /** After a failure that nothing mends. */
  async #abandon(): Promise<void> {
    this.#running = undefined;
    this.#board.setReady(false);
    await this.#graph.stop(this.#options.shutdownTimeoutMs);
  }
}
