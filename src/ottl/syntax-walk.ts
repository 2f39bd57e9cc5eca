/** What a syntax tree names, in no particular order. */
import type { BooleanExpression, Call, Path, Statement, Value } from './ast.js';

export interface Names {
  readonly paths: readonly Path[];
  readonly functions: ReadonlySet<string>;
  readonly enums: ReadonlySet<string>;
}

export function namesIn(...trees: readonly (Statement | BooleanExpression)[]): Names {
  const walk = new Walk();
  for (const tree of trees) {
    if (!('editor' in tree)) walk.condition(tree);
    else {
      walk.call(tree.editor);
      if (tree.where !== undefined) walk.condition(tree.where);
    }
  }
  return walk;
}

class Walk implements Names {
  readonly paths: Path[] = [];
  readonly functions = new Set<string>();
  readonly enums = new Set<string>();

  condition(expression: BooleanExpression): void {
    switch (expression.kind) {
      case 'constant':
        return;
      case 'not':
        this.condition(expression.operand);
        return;
      case 'and':
      case 'or':
        for (const operand of expression.operands) this.condition(operand);
        return;
      case 'compare':
        this.#value(expression.left);
        this.#value(expression.right);
        return;
      case 'call':
        this.call(expression.call);
    }
  }

  call({ name, args, keys }: Call): void {
    this.functions.add(name);
    for (const { value } of args) if (value.kind !== 'function') this.#value(value);
    for (const key of keys) this.#value(key);
  }

  #value(value: Value): void {
    switch (value.kind) {
      case 'path':
        this.paths.push(value.path);
        for (const { keys } of value.path.segments) for (const key of keys) this.#value(key);
        return;
      case 'call':
        this.call(value.call);
        return;
      case 'enum':
        this.enums.add(value.symbol);
        return;
      case 'list':
        for (const item of value.items) this.#value(item);
        return;
      case 'map':
        for (const [, item] of value.entries) this.#value(item);
        return;
      case 'negate':
        this.#value(value.operand);
        return;
      case 'math':
        this.#value(value.left);
        this.#value(value.right);
    }
  }
}
