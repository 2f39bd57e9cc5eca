/** Arguments of a function call, made ready for the function: by position or by name, checked for what they must be. */
import { GoRegExp } from '../../go/regexp.js';
import type { TypedValue } from '../../otlp/typed-value.js';
import type { Argument, Value } from '../ast.js';
import type { Access, ContextName, Getter, OttlContext } from '../context.js';
import {
  expectInt,
  expectMap,
  expectText,
  OttlError,
  type OttlValue,
  textLike,
  typeName,
} from '../values.js';
import { compileGlob } from './glob.js';

/** What the compiler offers to functions. */
export interface ArgumentTools {
  readonly context: ContextName;
  readonly getter: (value: Value) => Getter;
  readonly access: (value: Value & { kind: 'path' }) => Access;
  /** A converter of one argument by its name, or undefined. */
  readonly converter: (name: string) => ((input: Getter) => Getter) | undefined;
}

/** An argument that is not what the function needs. */
export class ArgumentError extends Error {
  constructor(position: number | undefined, what: string) {
    super(position === undefined ? what : `invalid argument at position ${position}: ${what}`);
  }
}

/** Getters of pkg/ottl that say their name when they fail. */
export type GoGetter =
  | 'StandardStringGetter'
  | 'StandardStringLikeGetter'
  | 'StandardIntGetter'
  | 'StandardPMapGetter'
  | 'StandardTimeGetter'
  | 'StandardDurationGetter';

export class Arguments {
  readonly #values: readonly (Argument['value'] | undefined)[];
  readonly #tools: ArgumentTools;
  readonly #name: string;

  /** `parameters`: names in order; those that end in `?` may be left out. */
  constructor(name: string, parameters: readonly string[], args: readonly Argument[], tools: ArgumentTools) {
    this.#name = name;
    this.#tools = tools;
    const names = parameters.map((parameter) => snake(parameter.replace('?', '')));
    const required = parameters.filter((parameter) => !parameter.endsWith('?')).length;
    const values: (Argument['value'] | undefined)[] = names.map(() => undefined);
    let named = false;
    for (const argument of args) {
      if (argument.name === undefined && named) throw new Error('unnamed argument used after named argument');
      named ||= argument.name !== undefined;
    }
    if (args.length < required || args.length > parameters.length) {
      throw new Error(
        `incorrect number of arguments. Expected: ${parameters.length} Received: ${args.length}`,
      );
    }
    for (const [position, { name: own, value }] of args.entries()) {
      const index = own === undefined ? position : names.indexOf(snake(own));
      if (index < 0) throw new Error(`no such parameter: ${own}`);
      values[index] = value;
    }
    this.#values = values;
  }

  has(position: number): boolean {
    return this.#values[position] !== undefined;
  }

  value(position: number): Getter {
    const value = this.#value(position);
    return this.#inside(position, () => this.#tools.getter(value));
  }

  /** A place to change. */
  path(position: number): Access {
    const value = this.#value(position);
    if (value.kind !== 'path') throw new ArgumentError(position, 'must be a path');
    return this.#inside(position, () => this.#tools.access(value));
  }

  /** A map that the function may change, since it is a copy. */
  map(position: number): (context: OttlContext) => Map<string, TypedValue> {
    return this.of(position, expectMap, 'StandardPMapGetter');
  }

  text(position: number): (context: OttlContext) => string {
    return this.of(position, expectText, 'StandardStringGetter');
  }

  /**
   * A value that `convert` makes something of. A literal is converted at once, so that one of the wrong type is found when
   * the configuration is read.
   */
  of<T>(
    position: number,
    convert: (value: OttlValue) => T,
    goGetter?: GoGetter,
  ): (context: OttlContext) => T {
    const literal = this.constant(position);
    if (literal !== undefined) {
      const value = this.#inside(position, () => convert(literal));
      return () => value;
    }
    const getter = goGetter === undefined ? this.value(position) : this.#told(position, goGetter);
    return (context) => convert(getter(context));
  }

  /** The value; what fails in making it is told with Go's name of the getter, as the Collector does. */
  #told(position: number, goGetter: GoGetter): Getter {
    const getter = this.value(position);
    const type = `ottl.${goGetter}[*github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottl${this.#tools.context}.TransformContext]`;
    return (context) => {
      try {
        return getter(context);
      } catch (error) {
        if (!(error instanceof OttlError)) throw error;
        throw new OttlError(`error getting value in ${type}: ${error.message}`);
      }
    };
  }

  /** Anything as text, undefined for nil. */
  textLike(position: number): (context: OttlContext) => string | undefined {
    return this.of(position, textLike, 'StandardStringLikeGetter');
  }

  int(position: number): (context: OttlContext) => bigint {
    return this.of(position, expectInt, 'StandardIntGetter');
  }

  /** `getter` is Go's name for what the list holds, which the Collector's sentence shows. */
  list(position: number, getter = 'Getter'): Getter[] {
    const value = this.#value(position);
    if (value.kind !== 'list') {
      const type = `${getter}[*github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottl${this.#tools.context}.TransformContext]`;
      throw new ArgumentError(position, `must be a list of type ${type}`);
    }
    return this.#inside(position, () => value.items.map((item) => this.#tools.getter(item)));
  }

  /** A list of texts. */
  textList(position: number): ((context: OttlContext) => string)[] {
    const value = this.#value(position);
    const getters = this.list(position, 'StringGetter');
    for (const [index, item] of (value.kind === 'list' ? value.items : []).entries()) {
      if (item.kind !== 'literal' || typeof item.value === 'string') continue;
      const what = `expected string but got ${typeName(item.value)}`;
      throw new ArgumentError(position, `error while parsing list argument at index ${index}: ${what}`);
    }
    return getters.map((getter) => (context) => expectText(getter(context)));
  }

  /** A list of anything as text. */
  texts(position: number): ((context: OttlContext) => string | undefined)[] {
    return this.list(position, 'StringLikeGetter').map((getter) => (context) => textLike(getter(context)));
  }

  literalText(position: number, fallback?: string): string {
    return this.#literal(position, 'string', 'must be a string', fallback);
  }

  literalInt(position: number, fallback?: bigint): bigint {
    const value = this.#literal(position, 'bigint', 'must be an int', fallback);
    // To the Collector's parser a minus is arithmetic, which is no literal.
    if (value < 0n) throw new ArgumentError(position, 'must be an int');
    return value;
  }

  literalDouble(position: number): number {
    return this.#literal<number>(position, 'number', 'must be a float', undefined);
  }

  literalDoubles(position: number): number[] {
    const value = this.#value(position);
    if (value.kind !== 'list') throw new ArgumentError(position, 'must be a list of type float64');
    return value.items.map((item, index) => {
      if (item.kind === 'literal' && typeof item.value === 'number') return item.value;
      throw new ArgumentError(
        position,
        `error while parsing list argument at index ${index}: must be a float`,
      );
    });
  }

  /** The value of a literal or nil; undefined for anything that must be computed. */
  constant(position: number): TypedValue | undefined {
    const value = this.#value(position);
    if (value.kind === 'nil') return null;
    return value.kind === 'literal' ? value.value : undefined;
  }

  /** The texts of a list of literals; undefined when one must be computed. */
  constantTexts(position: number): string[] | undefined {
    const value = this.#value(position);
    const items = value.kind === 'list' ? value.items : [];
    const texts = items.flatMap((item) =>
      item.kind === 'literal' && typeof item.value === 'string' ? [item.value] : [],
    );
    return texts.length === items.length ? texts : undefined;
  }

  /** A map of literals, however deep; undefined when something in it must be computed. */
  constantMap(position: number): Map<string, TypedValue> | undefined {
    const value = literalOf(this.#value(position));
    return value instanceof Map ? value : undefined;
  }

  literalBool(position: number, fallback?: boolean): boolean {
    return this.#literal(position, 'boolean', 'must be a bool', fallback);
  }

  literalTexts(position: number): string[] {
    const value = this.#value(position);
    if (value.kind !== 'list') throw new ArgumentError(position, 'must be a list of type string');
    return value.items.map((item, index) => {
      if (item.kind === 'literal' && typeof item.value === 'string') return item.value;
      throw new ArgumentError(
        position,
        `error while parsing list argument at index ${index}: must be a string`,
      );
    });
  }

  /** A regular expression. One that is not written out is compiled when it changes. */
  pattern(position: number): (context: OttlContext) => GoRegExp {
    const value = this.#value(position);
    if (value.kind === 'literal' && typeof value.value === 'string') {
      const pattern = this.#compile(value.value);
      return () => pattern;
    }
    const text = this.text(position);
    let last: GoRegExp | undefined;
    return (context) => {
      const source = text(context);
      if (last?.source !== source) last = this.#compile(source);
      return last;
    };
  }

  /** A glob pattern for whole texts. */
  glob(position: number): (text: string) => boolean {
    const source = this.literalText(position);
    const matches = compileGlob(source);
    if (matches !== undefined) return matches;
    throw new Error(
      `the regex pattern supplied to ${this.#name} '${JSON.stringify(source)}' is not a valid pattern: unexpected end of input`,
    );
  }

  /** A converter given by its name. */
  converter(position: number): ((input: Getter) => Getter) | undefined {
    const value = this.#values[position];
    if (value === undefined) return undefined;
    // A name of one word (`SHA`) looks like an enum to the parser.
    const name = value.kind === 'function' ? value.name : value.kind === 'enum' ? value.symbol : undefined;
    if (name === undefined) throw new ArgumentError(position, 'invalid function name given');
    const converter = this.#tools.converter(name);
    if (converter === undefined) throw new ArgumentError(undefined, `undefined function ${name}`);
    return converter;
  }

  /** What is wrong within an argument is told with its position. */
  #inside<T>(position: number, make: () => T): T {
    try {
      return make();
    } catch (error) {
      throw new ArgumentError(position, (error as Error).message);
    }
  }

  #compile(source: string): GoRegExp {
    try {
      return new GoRegExp(source);
    } catch (error) {
      throw new OttlError(
        `the regex pattern supplied to ${this.#name} '${JSON.stringify(source)}' is not a valid pattern: ${(error as Error).message}`,
      );
    }
  }

  #value(position: number): Value {
    const value = this.#values[position];
    if (value === undefined) throw new Error(`no argument at position ${position}`);
    if (value.kind !== 'function') return value;
    throw new ArgumentError(position, `enum symbol, ${value.name}, not found`);
  }

  #literal<T extends string | bigint | boolean | number>(
    position: number,
    type: 'string' | 'bigint' | 'boolean' | 'number',
    what: string,
    fallback: T | undefined,
  ): T {
    if (fallback !== undefined && !this.has(position)) return fallback;
    const value = this.#value(position);
    const literal = value.kind === 'literal' ? value.value : undefined;
    if (typeof literal === type) return literal as T;
    throw new ArgumentError(position, what);
  }
}

/** `pairDelimiter` and `pair_delimiter` are the same to the Collector. */
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function literalOf(value: Value): TypedValue | undefined {
  switch (value.kind) {
    case 'nil':
      return null;
    case 'literal':
      return value.value;
    case 'list': {
      const items = value.items.map(literalOf);
      return items.some((item) => item === undefined) ? undefined : (items as TypedValue[]);
    }
    case 'map': {
      const map = new Map<string, TypedValue>();
      for (const [key, item] of value.entries) {
        const literal = literalOf(item);
        if (literal === undefined) return undefined;
        map.set(key, literal);
      }
      return map;
    }
    default:
      return undefined;
  }
}
