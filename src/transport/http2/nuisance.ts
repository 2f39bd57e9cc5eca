/** At once, and per second: far more than any client needs. */
const BURST = 1000;
const PER_SECOND = 100;

/**
 * Allowance for frames that cost us work and bring nothing: streams that are opened and reset at once (CVE-2023-44487),
 * empty DATA (CVE-2019-9518), PRIORITY, SETTINGS.
 */
export class Nuisance {
  #left = BURST;
  #since = performance.now();

  /** False when the peer has used up its allowance. */
  spend(): boolean {
    if (this.#left < 1) {
      const now = performance.now();
      this.#left = Math.min(BURST, ((now - this.#since) * PER_SECOND) / 1000);
      this.#since = now;
    }
    return --this.#left >= 0;
  }
}
