import type { Consumer } from '../component/component.js';
import type { Batch } from '../component/signal.js';

/**
 * The place where a component's output is plugged in. A reload plugs something else in while the component runs on:
 * `hold` makes batches wait, `idle` waits for those that are on their way, `connect` and `release` send on those that wait.
 * Whoever sends feels that as back-pressure; nothing is refused and nothing lost.
 */
export class Outlet implements Consumer {
  #target: Consumer | undefined;
  #open = 0;
  #onIdle: (() => void)[] = [];
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined;

  async consume(batch: Batch): Promise<void> {
    // It may be closed again before those that waited have run.
    while (this.#gate !== undefined) await this.#gate.opened;
    const target = this.#target;
    if (target === undefined) throw new Error('the output is not connected');
    this.#open++;
    try {
      await target.consume(batch);
    } finally {
      this.#open--;
      if (this.#open === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }

  /** Plugs `target` in. Batches that are on their way go where they were going. */
  connect(target: Consumer): void {
    this.#target = target;
  }

  /** From now on batches wait. */
  hold(): void {
    if (this.#gate !== undefined) return;
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gate = { opened, open };
  }

  /** Ends `hold`. */
  release(): void {
    const gate = this.#gate;
    this.#gate = undefined;
    gate?.open();
  }

  /** Resolves when no batch is on its way, or when `deadline` aborts. Call `hold` before. */
  async idle(deadline: AbortSignal): Promise<void> {
    if (this.#open === 0 || deadline.aborted) return;
    await new Promise<void>((resolve) => {
      deadline.addEventListener('abort', () => resolve(), { once: true });
      this.#onIdle.push(resolve);
    });
  }
}
