/**
 * Reads JSON piece by piece, driven by the caller, who knows what should come next.
 * Source: RFC 8259.
 *
 * OTLP/JSON is read this way and not with `JSON.parse` because integers above 2^53 must stay exact when they are written
 * as numbers, `1.5` and `1e3` must be told from integers, and no tree of objects is needed on the way to protobuf.
 */

/** The text is not JSON, or not of the expected shape. The request can never be accepted. */
export class InvalidJsonError extends Error {
  override readonly name = 'InvalidJsonError';
  readonly code = 'ERR_OTLP_JSON';
  /** For example `resourceSpans[0].scopeSpans[0].spans[3].traceId`. */
  readonly path: string;
  /** Position in the text (UTF-16 units). */
  readonly offset: number;

  constructor(problem: string, path: string, offset: number) {
    super(path === '' ? problem : `${path}: ${problem}`);
    this.path = path;
    this.offset = offset;
  }
}

/** Deepest nesting that is skipped in unknown fields. */
const MAX_SKIP_DEPTH = 10_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null';

export class JsonCursor {
  readonly #text: string;
  #pos = 0;
  /** Names and indices from the root to here; the caller pushes and pops. */
  readonly path: (string | number)[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  /** An error at this place. */
  fail(problem: string): never {
    let path = '';
    for (const step of this.path) {
      path += typeof step === 'number' ? `[${step}]` : path === '' ? step : `.${step}`;
    }
    throw new InvalidJsonError(problem, path, this.#pos);
  }

  /** What comes next, without reading it. */
  peek(): JsonKind {
    this.#skipSpace();
    const char = this.#text[this.#pos];
    switch (char) {
      case '{':
        return 'object';
      case '[':
        return 'array';
      case '"':
        return 'string';
      case 't':
        return 'true';
      case 'f':
        return 'false';
      case 'n':
        return 'null';
      case undefined:
        return this.fail('The JSON text ends too early.');
      default:
        if (char === '-' || (char >= '0' && char <= '9')) return 'number';
        return this.fail(`A JSON value is expected, found ${JSON.stringify(char)}.`);
    }
  }

  /** Reads one of the three words, which `peek` has announced. */
  word(word: 'true' | 'false' | 'null'): void {
    if (!this.#text.startsWith(word, this.#pos)) this.fail(`"${word}" is expected.`);
    this.#pos += word.length;
  }

  /** Reads a number, which `peek` has announced, as its text. */
  number(): string {
    NUMBER.lastIndex = this.#pos;
    const found = NUMBER.exec(this.#text)?.[0];
    if (found === undefined) return this.fail('Not a JSON number.');
    this.#pos += found.length;
    return found;
  }

  /** Reads a text, which `peek` has announced. */
  string(): string {
    const text = this.#text;
    const start = this.#pos + 1;
    let pos = start;
    for (; ; pos++) {
      const code = text.charCodeAt(pos);
      if (code === QUOTE) break;
      if (code === BACKSLASH) return this.#escapedString(start, pos);
      // NaN (the end) compares false with everything.
      if (!(code >= 0x20)) return this.#brokenString(pos);
    }
    this.#pos = pos + 1;
    return text.slice(start, pos);
  }

  #escapedString(start: number, firstEscape: number): string {
    const text = this.#text;
    let result = text.slice(start, firstEscape);
    let pos = firstEscape;
    for (;;) {
      const code = text.charCodeAt(pos);
      if (code === QUOTE) break;
      if (!(code >= 0x20)) return this.#brokenString(pos);
      if (code !== BACKSLASH) {
        const from = pos;
        while (text.charCodeAt(pos) >= 0x20 && !isSpecial(text.charCodeAt(pos))) pos++;
        result += text.slice(from, pos);
        continue;
      }
      const letter = text[pos + 1] ?? '';
      const hex = text.slice(pos + 2, pos + 6);
      if (letter === 'u' && /^[0-9a-fA-F]{4}$/.test(hex)) {
        result += String.fromCharCode(Number.parseInt(hex, 16));
        pos += 6;
      } else {
        const meant = ESCAPES[letter];
        if (meant === undefined) {
          this.#pos = pos;
          return this.fail('Unknown escape in a JSON text.');
        }
        result += meant;
        pos += 2;
      }
    }
    this.#pos = pos + 1;
    return result;
  }

  #brokenString(pos: number): never {
    this.#pos = pos;
    return this.fail(
      pos >= this.#text.length ? 'The JSON text ends too early.' : 'A control character must be escaped.',
    );
  }

  /** Reads the opening of an object or array, which `peek` has announced. */
  open(): void {
    this.#pos++;
  }

  /** Reads up to the next key and its colon, or the end of the object (undefined). */
  key(isFirst: boolean): string | undefined {
    if (!this.#more('}', isFirst)) return undefined;
    if (this.peek() !== 'string') return this.fail('A key is expected.');
    const key = this.string();
    this.#skipSpace();
    if (this.#text[this.#pos] !== ':') return this.fail('":" is expected.');
    this.#pos++;
    return key;
  }

  /** Reads up to the next element of an array. False at its end. */
  element(isFirst: boolean): boolean {
    return this.#more(']', isFirst);
  }

  #more(close: ']' | '}', isFirst: boolean): boolean {
    this.#skipSpace();
    const char = this.#text[this.#pos];
    if (char === close) {
      this.#pos++;
      return false;
    }
    if (isFirst) return true;
    if (char !== ',') return this.fail(`"," or "${close}" is expected.`);
    this.#pos++;
    return true;
  }

  /** Steps over a value of any shape. Without recursion, so that hostile nesting cannot exhaust the stack. */
  skip(): void {
    const closers: ('}' | ']')[] = [];
    let isFirst = true;
    do {
      if (closers.length > 0) {
        const close = closers[closers.length - 1]!;
        const hasMore = close === '}' ? this.key(isFirst) !== undefined : this.element(isFirst);
        isFirst = false;
        if (!hasMore) {
          closers.pop();
          continue;
        }
      }
      const kind = this.peek();
      if (kind === 'string') this.string();
      else if (kind === 'number') this.number();
      else if (kind === 'object' || kind === 'array') {
        this.open();
        closers.push(kind === 'object' ? '}' : ']');
        if (closers.length > MAX_SKIP_DEPTH) this.fail(`Nested deeper than ${MAX_SKIP_DEPTH}.`);
        isFirst = true;
      } else this.word(kind);
    } while (closers.length > 0);
  }

  #skipSpace(): void {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#pos);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#pos++;
    }
  }
}

const isSpecial = (code: number): boolean => code === QUOTE || code === BACKSLASH;
