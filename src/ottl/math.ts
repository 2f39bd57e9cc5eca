/** Arithmetic as Go does it. Source: pkg/ottl LANGUAGE.md, "Math Expressions". */
import type { MathOperator } from './ast.js';
import { OttlDuration, OttlError, OttlTime, type OttlValue, textLike, typeName } from './values.js';

const show = (value: OttlValue): string => textLike(value) ?? '<nil>';

export function calculate(x: OttlValue, operator: MathOperator, y: OttlValue): OttlValue {
  if (typeof x === 'bigint' || typeof x === 'number') {
    if (typeof y !== 'bigint' && typeof y !== 'number') {
      throw new OttlError(`${show(y)} must be int64 or float64`);
    }
    if (typeof x === 'bigint' && typeof y === 'bigint') return BigInt.asIntN(64, ofInts(x, operator, y));
    return ofDoubles(Number(x), operator, Number(y));
  }
  if (x instanceof OttlTime) return ofTime(x, operator, y);
  if (x instanceof OttlDuration) return ofDuration(x, operator, y);
  throw new OttlError(`${show(x)} must be int64, float64, time.Time or time.Duration`);
}

export function negate(value: OttlValue): OttlValue {
  if (typeof value === 'bigint') return BigInt.asIntN(64, -value);
  if (typeof value === 'number') return -value;
  throw new OttlError(`unsupported unary minus operation on type ${typeName(value)}`);
}

function ofInts(x: bigint, operator: MathOperator, y: bigint): bigint {
  switch (operator) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      if (y === 0n) throw new OttlError('attempted to divide by 0');
      return x / y;
  }
}

function ofDoubles(x: number, operator: MathOperator, y: number): number {
  switch (operator) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      if (y === 0) throw new OttlError('attempted to divide by 0');
      return x / y;
  }
}

const NOT_SUPPORTED = 'only addition and subtraction supported for time.Time and time.Duration';

function ofTime(x: OttlTime, operator: MathOperator, y: OttlValue): OttlValue {
  if (operator === '+') {
    if (y instanceof OttlDuration) return new OttlTime(x.ns + y.ns);
    throw new OttlError(`time.Time must be added to time.Duration; found ${show(y)} instead`);
  }
  if (operator !== '-') throw new OttlError(NOT_SUPPORTED);
  if (y instanceof OttlTime) return new OttlDuration(x.ns - y.ns);
  if (y instanceof OttlDuration) return new OttlTime(x.ns - y.ns);
  throw new OttlError(
    `time.Time or time.Duration must be subtracted from time.Time; found ${show(y)} instead`,
  );
}

function ofDuration(x: OttlDuration, operator: MathOperator, y: OttlValue): OttlValue {
  if (operator === '+') {
    if (y instanceof OttlDuration) return new OttlDuration(x.ns + y.ns);
    if (y instanceof OttlTime) return new OttlTime(y.ns + x.ns);
    throw new OttlError(
      `time.Duration must be added to time.Duration or time.Time; found ${show(y)} instead`,
    );
  }
  if (operator !== '-') throw new OttlError(NOT_SUPPORTED);
  if (y instanceof OttlDuration) return new OttlDuration(x.ns - y.ns);
  throw new OttlError(`time.Duration must be subtracted from time.Duration; found ${show(y)} instead`);
}
