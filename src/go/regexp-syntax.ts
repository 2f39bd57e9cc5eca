/**
 * From Go's regular expression syntax to JavaScript's, with the flag `u`.
 * Source: https://pkg.go.dev/regexp/syntax
 *
 *     Go            JavaScript
 *     .             [^\n], or [^] under (?s)
 *     ^ $           ^ $, or look-around for a line's ends under (?m)
 *     \A \z         ^ $ (there is no flag `m`)
 *     (?i)x         [xX]: the engines of old Node.js versions have flags for whole patterns only
 *     (?P<n>x)      (x), and its name in a list
 *     [[:digit:]]   [0-9]
 */
interface Flags {
  readonly i: boolean;
  readonly s: boolean;
  readonly m: boolean;
}

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};
const GO_SPACE = '\\t\\n\\f\\r ';

export interface Translated {
  readonly pattern: string;
  readonly groupNames: readonly string[];
}

/** Throws `SyntaxError` with Go's sentence. */
export function translate(source: string): Translated {
  return new Translator(source).run();
}

class Translator {
  readonly #source: string;
  readonly #names = [''];
  /** Flags outside of each open group. */
  readonly #outer: Flags[] = [];
  #flags: Flags = { i: false, s: false, m: false };
  #at = 0;
  #out = '';

  constructor(source: string) {
    this.#source = source;
  }

  run(): Translated {
    const source = this.#source;
    while (this.#at < source.length) {
      const char = String.fromCodePoint(source.codePointAt(this.#at)!);
      switch (char) {
        case '(':
          this.#group();
          break;
        case ')': {
          const flags = this.#outer.pop();
          if (flags === undefined) this.#fail('unexpected )', source);
          this.#flags = flags;
          this.#emit(')', 1);
          break;
        }
        case '[':
          this.#class();
          break;
        case '\\':
          this.#escape();
          break;
        case '.':
          this.#emit(this.#flags.s ? '[^]' : '[^\\n]', 1);
          break;
        case '^':
          this.#emit(this.#flags.m ? '(?<![^\\n])' : '^', 1);
          break;
        case '$':
          this.#emit(this.#flags.m ? '(?![^\\n])' : '$', 1);
          break;
        case '*':
        case '+':
        case '?':
          this.#repeat(char);
          break;
        case '{': {
          const count = /^\{\d+(?:,\d*)?\}/.exec(source.slice(this.#at))?.[0];
          if (count === undefined) this.#literal(char);
          else this.#repeat(count);
          break;
        }
        case '|':
          this.#emit('|', 1);
          break;
        default:
          this.#literal(char);
      }
    }
    if (this.#outer.length > 0) this.#fail('missing closing )', source);
    return { pattern: this.#out, groupNames: this.#names };
  }

  #emit(text: string, consumed: number): void {
    this.#out += text;
    this.#at += consumed;
  }

  #fail(what: string, where: string): never {
    throw new SyntaxError(`error parsing regexp: ${what}: \`${where}\``);
  }

  #literal(char: string): void {
    this.#emit(this.#quoted(char), char.length);
  }

  /** A character for itself, outside of a class. */
  #quoted(char: string): string {
    if (this.#flags.i) {
      const cases = casesOf(char);
      if (cases.length > 1) return `[${cases.join('')}]`;
    }
    return /[\^$\\.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
  }

  #repeat(operator: string): void {
    const rest = this.#source.slice(this.#at + operator.length);
    const before = this.#out;
    if (before === '' || /(?:^|[^\\])(?:\(|\||\(\?:)$/.test(before)) {
      this.#fail('missing argument to repetition operator', operator);
    }
    const next = /^\??(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(rest.startsWith('?') ? rest.slice(1) : rest)?.[0];
    if (next !== undefined) this.#fail('invalid nested repetition operator', operator + next);
    const [, least, most] = /^\{(\d+)(?:,(\d*))?\}$/.exec(operator) ?? [];
    if (Number(least ?? 0) > 1000 || Number(most || 0) > 1000 || (most && Number(most) < Number(least))) {
      this.#fail('invalid repeat count', operator);
    }
    const lazy = rest.startsWith('?') ? '?' : '';
    this.#emit(operator + lazy, operator.length + lazy.length);
  }

  #group(): void {
    const rest = this.#source.slice(this.#at);
    if (!rest.startsWith('(?')) {
      this.#outer.push(this.#flags);
      this.#names.push('');
      this.#emit('(', 1);
      return;
    }
    const named = /^\(\?P?<(\w+)>/.exec(rest);
    if (named?.[1] !== undefined) {
      if (this.#names.includes(named[1])) this.#fail('duplicate capture group name', named[1]);
      this.#outer.push(this.#flags);
      this.#names.push(named[1]);
      this.#emit('(', named[0].length);
      return;
    }
    const flags = /^\(\?([ims]*)(?:-([ims]+))?([:)])/.exec(rest);
    if (flags === null) this.#fail('invalid or unsupported Perl syntax', rest.slice(0, 3));
    const [whole, on = '', off = '', end] = flags;
    if (end === ':') this.#outer.push(this.#flags);
    const set = (flag: 'i' | 'm' | 's') => (this.#flags[flag] || on.includes(flag)) && !off.includes(flag);
    this.#flags = { i: set('i'), m: set('m'), s: set('s') };
    this.#emit(end === ':' ? '(?:' : '', whole.length);
  }

  #escape(): void {
    const rest = this.#source.slice(this.#at);
    if (rest.startsWith('\\Q')) {
      const end = rest.indexOf('\\E');
      const text = rest.slice(2, end < 0 ? undefined : end);
      this.#emit(Array.from(text, (char) => this.#quoted(char)).join(''), text.length + (end < 0 ? 2 : 4));
      return;
    }
    const second = rest[1];
    const anchors: Readonly<Record<string, string>> = { A: '^', z: '$', b: '\\b', B: '\\B' };
    if (second !== undefined && Object.hasOwn(anchors, second)) {
      this.#emit(anchors[second]!, 2);
      return;
    }
    const { text, length, char } = this.#element(rest);
    if (char !== undefined) this.#emit(this.#quoted(char), length);
    else this.#emit(/^\\[dDwWpP]/.test(text) ? text : `[${text}]`, length);
  }

  /** An escape that is a character or a set of them, as part of a class. `char` is set for a single character. */
  #element(rest: string): { text: string; length: number; char?: string } {
    const second = rest[1];
    if (second === undefined) this.#fail('trailing backslash at end of expression', '');
    const single = (char: string, length: number) => ({ text: classChar(char), length, char });
    if ('dDwW'.includes(second)) return { text: `\\${second}`, length: 2 };
    if (second === 's') return { text: GO_SPACE, length: 2 };
    if (second === 'S') return { text: '\\0-\\x08\\x0B\\x0E-\\x1F!-\\u{10FFFF}', length: 2 };
    const controls: Readonly<Record<string, string>> = {
      a: '\x07',
      f: '\f',
      t: '\t',
      n: '\n',
      r: '\r',
      v: '\v',
    };
    if (Object.hasOwn(controls, second)) return single(controls[second]!, 2);
    const hex = /^\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(rest);
    if (hex !== null)
      return single(String.fromCodePoint(Number.parseInt(hex[1] ?? hex[2]!, 16)), hex[0].length);
    const octal = /^\\(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
    if (octal !== null)
      return single(String.fromCodePoint(Number.parseInt(octal[0].slice(1), 8)), octal[0].length);
    const property = /^\\([pP])(?:\{(\^?)(\w+)\}|([A-Z]))/.exec(rest);
    if (property !== null) {
      const name = property[3] ?? property[4]!;
      const negated = (property[1] === 'P') !== (property[2] === '^');
      return {
        text: `\\${negated ? 'P' : 'p'}{${name.length <= 2 ? name : `Script=${name}`}}`,
        length: property[0].length,
      };
    }
    if (/[A-Za-z0-9]/.test(second)) this.#fail('invalid escape sequence', rest.slice(0, 2));
    const char = String.fromCodePoint(rest.codePointAt(1)!);
    return single(char, 1 + char.length);
  }

  #class(): void {
    const source = this.#source;
    const start = this.#at;
    let at = start + 1;
    let out = '[';
    if (source[at] === '^') {
      out += '^';
      at++;
    }
    for (let first = true; first || source[at] !== ']'; first = false) {
      if (at >= source.length) this.#fail('missing closing ]', source.slice(start));
      const rest = source.slice(at);
      const posix = /^\[:(\^?)(\w+):\]/.exec(rest);
      if (posix?.[2] !== undefined) {
        const set = POSIX[posix[2]];
        if (set === undefined) this.#fail('invalid character class range', posix[0]);
        if (posix[1] === '^') this.#fail('unsupported negated class inside a class', posix[0]);
        out += set;
        at += posix[0].length;
        continue;
      }
      const low = this.#classItem(rest);
      at += low.length;
      const isRange = source[at] === '-' && source[at + 1] !== ']' && at + 1 < source.length;
      if (low.char === undefined || !isRange) {
        out += low.char !== undefined && this.#flags.i ? casesOf(low.char).map(classChar).join('') : low.text;
        continue;
      }
      const high = this.#classItem(source.slice(at + 1));
      if (high.char === undefined || high.char.codePointAt(0)! < low.char.codePointAt(0)!) {
        this.#fail('invalid character class range', source.slice(at - low.length, at + 1 + high.length));
      }
      at += 1 + high.length;
      out += `${low.text}-${high.text}`;
      if (this.#flags.i) out += otherCases(low.char, high.char);
    }
    this.#out += `${out}]`;
    this.#at = at + 1;
  }

  #classItem(rest: string): { text: string; length: number; char?: string } {
    if (rest.startsWith('\\')) return this.#element(rest);
    const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    return { text: classChar(char), length: char.length, char };
  }
}

function casesOf(char: string): string[] {
  const cases = [char, char.toLowerCase(), char.toUpperCase()].filter((one) => [...one].length === 1);
  return [...new Set(cases)];
}

/** The other case of those letters of ASCII that lie in a range. */
function otherCases(low: string, high: string): string {
  let text = '';
  for (let code = low.codePointAt(0)!; code <= Math.min(high.codePointAt(0)!, 0x7a); code++) {
    const char = String.fromCodePoint(code);
    const other = char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase();
    if (other !== char) text += other;
  }
  return text;
}

/** A character within a class. */
function classChar(char: string): string {
  const code = char.codePointAt(0)!;
  if (/[\^$\\.*+?()[\]{}|/-]/.test(char)) return `\\${char}`;
  return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : char;
}
