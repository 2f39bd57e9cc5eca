import type { Logger } from '../telemetry/logger.js';

/** Long enough to never fire; a timer keeps Node.js from exiting when no component has a handle open. */
const FOREVER_MS = 2 ** 31 - 1;

/**
 * Everything that may end or disturb a run: signals, components, time, bugs. The first SIGINT or SIGTERM asks for an
 * orderly end, the second ends the process at once. SIGHUP reloads.
 */
export class StopSwitch {
  readonly #logger: Logger;
  readonly #onUnexpected: (error: unknown) => void;
  readonly #listeners: (readonly [string, (...args: unknown[]) => void])[] = [];
  readonly #keepAlive = setInterval(() => {}, FOREVER_MS);
  #timer: NodeJS.Timeout | undefined;
  #resolve: (ending: 'stopped' | 'failed') => void = () => {};
  #stopping = false;
  #reloading: Promise<void> = Promise.resolve();

  /** Resolves when the run shall end. */
  readonly requested = new Promise<'stopped' | 'failed'>((resolve) => {
    this.#resolve = resolve;
  });

  constructor(logger: Logger, onUnexpected: (error: unknown) => void) {
    this.#logger = logger;
    this.#onUnexpected = onUnexpected;
  }

  /** Begins to listen. `reload` must not reject; reloads never overlap. */
  listen(reload: () => Promise<void>): void {
    const onSignal = (signal: unknown) => {
      this.#logger.info('Received signal from OS', { signal });
      if (this.#stopping) {
        this.#logger.error('Second signal. Ending without waiting.');
        process.exit(1);
      }
      void this.#stopAfterReload();
    };
    this.#on('SIGINT', onSignal);
    this.#on('SIGTERM', onSignal);
    this.#on('SIGHUP', () => {
      if (this.#stopping) return;
      this.#logger.info('Received signal from OS', { signal: 'SIGHUP' });
      this.#reloading = this.#reloading.then(reload);
    });
    this.#on('uncaughtException', this.#onUnexpected);
    this.#on('unhandledRejection', this.#onUnexpected);
  }

  /** An orderly end, for a reason that is logged. */
  request(reason: string): void {
    if (this.#stopping) return;
    this.#logger.info('Stop requested.', { reason });
    void this.#stopAfterReload();
  }

  /** An end because nothing runs any more. */
  fail(reason: string): void {
    this.#logger.error(reason);
    this.#stopping = true;
    this.#resolve('failed');
  }

  /** An orderly end after `ms`. */
  after(ms: number): void {
    this.#timer = setTimeout(() => this.request(`ran for ${ms / 1000} s`), ms);
  }

  /** Takes all listeners and timers away. */
  close(): void {
    clearInterval(this.#keepAlive);
    clearTimeout(this.#timer);
    for (const [event, listener] of this.#listeners) process.off(event, listener);
    this.#listeners.length = 0;
  }

  /** A stop in the middle of a reload would leave the new graph running. */
  async #stopAfterReload(): Promise<void> {
    this.#stopping = true;
    await this.#reloading;
    this.#resolve('stopped');
  }

  #on(event: string, listener: (...args: unknown[]) => void): void {
    process.on(event, listener);
    this.#listeners.push([event, listener]);
  }
}
