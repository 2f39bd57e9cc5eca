/**
 * Words of the OpenTelemetry Transformation Language.
 * Source: OpenTelemetry Collector Contrib 0.159, pkg/ottl (GRAMMAR.md, grammar.go).
 */
export type TokenType =
  | 'Bytes'
  | 'Float'
  | 'Int'
  | 'String'
  | 'Nil'
  | 'OpNot'
  | 'OpOr'
  | 'OpAnd'
  | 'OpComparison'
  | 'OpAddSub'
  | 'OpMultDiv'
  | 'Boolean'
  | 'Equal'
  | 'Punct'
  | 'Uppercase'
  | 'Lowercase'
  | 'EOF';

export interface Token {
  readonly type: TokenType;
  /** As written; the content of a `String` without its quotes and escapes. */
  readonly text: string;
  /** Index in the source. */
  readonly offset: number;
}

/** Tried in this order. */
const RULES: readonly (readonly [TokenType | 'whitespace', RegExp])[] = [
  ['Bytes', /0x[a-fA-F0-9]+/y],
  ['Float', /(?:\d+\.\d*|\d*\.\d+)(?:[eE][-+]?\d+)?/y],
  ['Int', /\d+/y],
  ['String', /"(?:\\.|[^\\"])*"/y],
  ['Nil', /\bnil\b/y],
  ['OpNot', /\bnot\b/y],
  ['OpOr', /\bor\b/y],
  ['OpAnd', /\band\b/y],
  ['OpComparison', /==|!=|>=|<=|>|</y],
  ['OpAddSub', /[+-]/y],
  ['OpMultDiv', /[/*]/y],
  ['Boolean', /\b(?:true|false)\b/y],
  ['Equal', /=/y],
  ['Punct', /[(){}:,.[\]]/y],
  ['Uppercase', /[A-Z][A-Z0-9_]*/y],
  ['Lowercase', /[a-z][a-z0-9_]*/y],
  ['whitespace', /\s+/y],
];

/** A text that is no OTTL. `message` has the place as `line:column`, as a Collector says it. */
export class OttlSyntaxError extends Error {
  override readonly name = 'OttlSyntaxError';
}

/** The words of `source`, ended by `EOF`. Throws `OttlSyntaxError`. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < source.length) {
    const token = tokenAt(source, offset);
    if (token === undefined) {
      throw new OttlSyntaxError(
        `${placeOf(source, offset)}: lexer: invalid input text ${JSON.stringify(shorten(source.slice(offset)))}`,
      );
    }
    const [type, text] = token;
    if (type !== 'whitespace') {
      tokens.push({ type, text: type === 'String' ? unquote(source, offset, text) : text, offset });
    }
    offset += text.length;
  }
  tokens.push({ type: 'EOF', text: '<EOF>', offset: source.length });
  return tokens;
}

function tokenAt(source: string, offset: number): readonly [TokenType | 'whitespace', string] | undefined {
  for (const [type, rule] of RULES) {
    rule.lastIndex = offset;
    const text = rule.exec(source)?.[0];
    if (text !== undefined && text !== '') return [type, text];
  }
  return undefined;
}

/** `line:column`, both from 1. */
export function placeOf(source: string, offset: number): string {
  const before = source.slice(0, offset).split('\n');
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** Parsers of the Collector show at most this much of what they could not read. */
const shorten = (text: string): string => (text.length > 16 ? `${text.slice(0, 16)}...` : text);

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** Go's `strconv.Unquote`. */
function unquote(source: string, offset: number, text: string): string {
  return text
    .slice(1, -1)
    .replace(
      /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))/g,
      (_, hex?: string, four?: string, eight?: string, octal?: string, letter?: string) => {
        const code = hex ?? four ?? eight;
        if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
        if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
        const char = letter === undefined ? undefined : ESCAPES[letter];
        if (char !== undefined) return char;
        throw new OttlSyntaxError(
          `${placeOf(source, offset)}: invalid quoted string ${JSON.stringify(text)}: invalid syntax`,
        );
      },
    );
}
