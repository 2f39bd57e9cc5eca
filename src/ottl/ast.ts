/** What the parser makes of a text. Names follow the grammar in GRAMMAR.md of pkg/ottl. */

export interface Statement {
  readonly editor: Call;
  readonly where: BooleanExpression | undefined;
}

export type BooleanExpression =
  | { readonly kind: 'or' | 'and'; readonly operands: readonly BooleanExpression[] }
  | { readonly kind: 'not'; readonly operand: BooleanExpression }
  | {
      readonly kind: 'compare';
      readonly left: Value;
      readonly operator: CompareOperator;
      readonly right: Value;
    }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'call'; readonly call: Call };

export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type MathOperator = '+' | '-' | '*' | '/';

export type Value =
  | { readonly kind: 'nil' }
  | { readonly kind: 'literal'; readonly value: string | bigint | number | boolean | Uint8Array }
  | { readonly kind: 'enum'; readonly symbol: string }
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [string, Value])[] }
  | { readonly kind: 'negate'; readonly operand: Value }
  | { readonly kind: 'math'; readonly left: Value; readonly operator: MathOperator; readonly right: Value };

/** An editor (`set(…)`) or a converter (`Concat(…)["k"]`). */
export interface Call {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly keys: readonly Value[];
}

export interface Argument {
  /** Undefined for a positional one. */
  readonly name: string | undefined;
  /** A converter's name stands for the converter itself. */
  readonly value: Value | { readonly kind: 'function'; readonly name: string };
}

/** `span.attributes["k"][0].x`: the first segment may name a context. */
export interface Path {
  readonly segments: readonly Segment[];
  readonly offset: number;
}

export interface Segment {
  readonly name: string;
  readonly keys: readonly Value[];
}

/** The path as a Collector prints it. */
export function pathText(segments: readonly Segment[]): string {
  return segments.map(({ name, keys }) => name + keys.map(keyText).join('')).join('.');
}

function keyText(key: Value): string {
  if (key.kind !== 'literal') return key.kind === 'path' ? `[${pathText(key.path.segments)}]` : '[...]';
  return `[${typeof key.value === 'string' ? `"${key.value}"` : String(key.value)}]`;
}
