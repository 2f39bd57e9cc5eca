/** A seeded source of values for property tests: the same seed gives the same values on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 <= x < 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** Whole, least <= x <= most. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)]!;
  }

  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.int(0, most) }, make);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.int(0, 255));
  }

  hex(byteCount: number): string {
    const text = Buffer.from(this.bytes(byteCount)).toString('hex');
    return /^0*$/.test(text) ? `${text.slice(0, -1)}1` : text;
  }

  /** Mostly short ASCII; sometimes other scripts, and lengths around the limits of one and two length bytes. */
  text(): string {
    const kind = this.next();
    if (kind < 0.05) return '';
    if (kind < 0.75) return this.#ascii(this.int(1, 30));
    if (kind < 0.9) {
      return this.list(20, () =>
        this.pick(['a', 'é', 'ß', '漢', '字', '😀', '\u0000', '"', '\\', '\n']),
      ).join('');
    }
    return this.#ascii(
      this.pick([47, 48, 49, 120, 126, 127, 128, 129, 300, this.chance(0.1) ? 16_385 : 200]),
    );
  }

  #ascii(length: number): string {
    const letters = 'abcdefghijklmnopqrstuvwxyz.ABC0123456789_/-';
    let text = '';
    for (let index = 0; index < length; index++) text += letters[this.int(0, letters.length - 1)]!;
    return text;
  }
}
