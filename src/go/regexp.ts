/**
 * Regular expressions as configurations of a Collector write them: Go's syntax (RE2), run by JavaScript's engine.
 * Sources: https://github.com/google/re2/wiki/Syntax, https://pkg.go.dev/regexp/syntax, https://pkg.go.dev/regexp.
 *
 * The pattern is translated, so `(?i)`, `(?s)`, `(?m)`, `(?P<name>…)`, `[[:alpha:]]`, `\A`, `\z`, `\Q…\E`, `\pL` and `.` mean
 * what they mean in Go; what Go refuses (look-around, backreferences) is refused. One thing can't be translated: Go's
 * engine takes linear time, JavaScript's backtracks. Patterns come from the operator's own file, not from data.
 */
import { translate } from './regexp-syntax.js';

export class GoRegExp {
  /** As written. */
  readonly source: string;
  /** By number; `''` for the whole match and for groups without a name. */
  readonly groupNames: readonly string[];
  readonly #once: RegExp;
  readonly #global: RegExp;

  /** Throws `SyntaxError` with Go's sentence. */
  constructor(source: string) {
    this.source = source;
    const { pattern, groupNames } = translate(source);
    this.groupNames = groupNames;
    try {
      this.#once = new RegExp(pattern, 'u');
      this.#global = new RegExp(pattern, 'gu');
    } catch (cause) {
      throw new SyntaxError(`error parsing regexp: invalid pattern: \`${source}\``, { cause });
    }
  }

  /** Whether the pattern matches anywhere in `text`. */
  test(text: string): boolean {
    return this.#once.test(text);
  }

  /** The leftmost match and its groups (`''` for those that took no part), or undefined. */
  match(text: string): string[] | undefined {
    const found = this.#once.exec(text);
    return found === null ? undefined : Array.from(found, (group) => group ?? '');
  }

  /** Replaces every match by what `replacement` makes of the groups. */
  replaceAll(text: string, replacement: (groups: readonly string[]) => string): string {
    let result = '';
    let end = 0;
    let lastMatchEnd = -1;
    for (const found of text.matchAll(this.#global)) {
      // Go ignores an empty match right behind another match.
      if (found[0] === '' && found.index === lastMatchEnd) continue;
      result += text.slice(end, found.index);
      result += replacement(Array.from(found, (group) => group ?? ''));
      end = lastMatchEnd = found.index + found[0].length;
    }
    return lastMatchEnd < 0 ? text : result + text.slice(end);
  }

  /** `template` with `$1`, `$name`, `${name}` replaced by groups and `$$` by `$`; unknown groups are empty. */
  expand(template: string, groups: readonly string[]): string {
    return template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, plain?: string, braced?: string) => {
      const name = plain ?? braced;
      if (name === undefined) return whole === '$$' ? '$' : whole;
      const index = /^\d+$/.test(name) ? Number(name) : this.groupNames.indexOf(name);
      return groups[index] ?? '';
    });
  }
}
