/**
 * Comparisons. Values of types that don't compare are unequal, and neither less nor greater.
 * Source: pkg/ottl LANGUAGE.md, "Comparison Rules".
 */
import type { CompareOperator } from './ast.js';
import { OttlDuration, OttlTime, type OttlValue } from './values.js';

export function compare(left: OttlValue, operator: CompareOperator, right: OttlValue): boolean {
  if (left === null || right === null) {
    const both = left === null && right === null;
    return operator === '!=' ? !both : both && operator !== '<' && operator !== '>';
  }
  if (typeof left === 'string' && typeof right === 'string') return compareTexts(left, operator, right);
  if (isNumber(left) && isNumber(right)) {
    return ordered(asDoubles(left, right), operator);
  }
  if (typeof left === 'boolean' && typeof right === 'boolean') {
    return ordered([Number(left), Number(right)], operator);
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return ordered([Buffer.compare(left, right), 0], operator);
  }
  const sameKind =
    (left instanceof OttlTime && right instanceof OttlTime) ||
    (left instanceof OttlDuration && right instanceof OttlDuration);
  if (sameKind) {
    const { ns } = left as OttlTime;
    return ordered([ns, (right as OttlTime).ns], operator);
  }
  const containers =
    (left instanceof Map && right instanceof Map) || (Array.isArray(left) && Array.isArray(right));
  if (containers && operator === '==') return isEqual(left, right);
  if (containers && operator === '!=') return !isEqual(left, right);
  return operator === '!=';
}

const isNumber = (value: OttlValue): value is bigint | number =>
  typeof value === 'bigint' || typeof value === 'number';

/** In the order of their bytes in UTF-8. */
function compareTexts(left: string, operator: CompareOperator, right: string): boolean {
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  return ordered([Buffer.compare(Buffer.from(left), Buffer.from(right)), 0], operator);
}

/** An int beside a double is compared as a double; two ints exactly. */
function asDoubles(a: bigint | number, b: bigint | number): readonly [bigint | number, bigint | number] {
  return typeof a === typeof b ? [a, b] : [Number(a), Number(b)];
}

function ordered([a, b]: readonly [bigint | number, bigint | number], operator: CompareOperator): boolean {
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
  }
}

/** Equal in type and value, whatever the order of keys. */
export function isEqual(a: OttlValue, b: OttlValue): boolean {
  if (a instanceof Map && b instanceof Map) {
    if (a.size !== b.size) return false;
    for (const [key, value] of a) {
      const other = b.get(key);
      if (other === undefined || !isEqual(value, other)) return false;
    }
    return true;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => isEqual(value, b[index]!));
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return a === b;
}
