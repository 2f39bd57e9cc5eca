/** All paths in a syntax tree, in no particular order. */
import type { BooleanExpression, Call, Path, Statement, Value } from './ast.js';

export function pathsOfStatement({ editor, where }: Statement): Path[] {
  return [...pathsOfCall(editor), ...(where === undefined ? [] : pathsOfCondition(where))];
}

export function pathsOfCondition(expression: BooleanExpression): Path[] {
  switch (expression.kind) {
    case 'constant':
      return [];
    case 'not':
      return pathsOfCondition(expression.operand);
    case 'and':
    case 'or':
      return expression.operands.flatMap(pathsOfCondition);
    case 'compare':
      return [...pathsOfValue(expression.left), ...pathsOfValue(expression.right)];
    case 'call':
      return pathsOfCall(expression.call);
  }
}

function pathsOfCall({ args, keys }: Call): Path[] {
  return [
    ...args.flatMap(({ value }) => (value.kind === 'function' ? [] : pathsOfValue(value))),
    ...keys.flatMap(pathsOfValue),
  ];
}

function pathsOfValue(value: Value): Path[] {
  switch (value.kind) {
    case 'path':
      return [value.path, ...value.path.segments.flatMap(({ keys }) => keys.flatMap(pathsOfValue))];
    case 'call':
      return pathsOfCall(value.call);
    case 'list':
      return value.items.flatMap(pathsOfValue);
    case 'map':
      return value.entries.flatMap(([, item]) => pathsOfValue(item));
    case 'negate':
      return pathsOfValue(value.operand);
    case 'math':
      return [...pathsOfValue(value.left), ...pathsOfValue(value.right)];
    default:
      return [];
  }
}
