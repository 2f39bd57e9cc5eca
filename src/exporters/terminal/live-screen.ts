/**
 * A block of lines that is redrawn in place at the end of the terminal's text; no alternate screen, so what was printed
 * stays in the scroll-back.
 *
 * Between frames the cursor waits on an empty line above the block. A log line that somebody else writes to the same
 * terminal therefore lands there and stays, and the next frame is drawn below it.
 */
import type { TerminalOutput } from './output.js';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_BELOW = '\r\u001b[J';
/** Longer lines are clipped instead of wrapped, so that a line of the block is a line of the terminal. */
const NO_WRAP = '\u001b[?7l';
const WRAP = '\u001b[?7h';
const up = (lines: number): string => (lines > 0 ? `\u001b[${lines}A\r` : '\r');
const down = (lines: number): string => (lines > 0 ? `\u001b[${lines}B\r` : '\r');

export class LiveScreen {
  readonly #output: TerminalOutput;
  #height = 0;
  #open = false;
  readonly #restore = (): void => {
    if (this.#open) this.#output.writeLast(`${down(this.#height)}\n${SHOW_CURSOR}`);
    this.#open = false;
  };

  constructor(output: TerminalOutput) {
    this.#output = output;
  }

  /** Hides the cursor; it comes back with `close`, and when the process ends without it. */
  open(): void {
    this.#open = true;
    this.#output.write(HIDE_CURSOR);
    process.on('exit', this.#restore);
  }

  /** Replaces the block. Skipped while the terminal does not keep up. */
  draw(lines: readonly string[]): void {
    if (!this.#open || this.#output.isBusy) return;
    // One line for the cursor, one so that the last line never makes the terminal scroll.
    const visible = lines.slice(0, Math.max(1, (this.#output.rows ?? 24) - 2));
    this.#height = visible.length;
    const block = visible.map((line) => `\n${line}`).join('');
    this.#output.write(`${CLEAR_BELOW}${NO_WRAP}${block}${WRAP}${up(visible.length)}`);
  }

  /** Prints lines that stay, above the block. */
  print(lines: readonly string[]): void {
    this.#height = 0;
    this.#output.write(`${CLEAR_BELOW}${lines.join('\n')}\n`);
  }

  /** Leaves the last block on the screen and the cursor below it. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off('exit', this.#restore);
    this.#output.write(`${down(this.#height)}\n${SHOW_CURSOR}`);
  }
}
