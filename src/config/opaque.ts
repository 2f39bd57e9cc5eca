import { inspect } from 'node:util';

const REDACTED = '[REDACTED]';

/** A secret from the configuration. It prints as `[REDACTED]` everywhere; only `reveal()` gives the text. */
export class Opaque {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret itself. Call it where it is sent, keep it nowhere else. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
