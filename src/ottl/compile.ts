/**
 * From syntax tree to functions. Everything that can be wrong with a text is found here; what runs later can only fail on
 * data (`OttlError`).
 */
import type { TypedValue } from '../otlp/typed-value.js';
import type { Argument, BooleanExpression, Call, Value } from './ast.js';
import { compare } from './compare.js';
import type { Getter, OttlContext } from './context.js';
import { enumValue } from './enums.js';
import { ArgumentError, Arguments, type ArgumentTools } from './functions/arguments.js';
import type { Editor } from './functions/function.js';
import { converterNamed, editorNamed } from './functions/registry.js';
import { valueAt } from './keys.js';
import { calculate, negate } from './math.js';
import { type PathRules, resolvePath } from './paths/resolve.js';
import { GoList, OttlError, type OttlValue, toTyped } from './values.js';

export type Predicate = (context: OttlContext) => boolean;

/** Makes the parts of one text ready, for one context. All methods throw an `Error` with the Collector's sentence. */
export class Compiler {
  readonly #rules: PathRules;
  readonly #tools: ArgumentTools;

  constructor(rules: PathRules) {
    this.#rules = rules;
    this.#tools = {
      context: rules.context,
      getter: (value) => this.getter(value),
      access: ({ path }) => resolvePath(path, rules, (key) => this.getter(key)),
      converter: (name) => this.#converterOfOne(name),
    };
  }

  editor(call: Call): Editor {
    const definition = editorNamed(call.name, this.#rules.context);
    if (definition === undefined) throw new Error(`undefined function ${JSON.stringify(call.name)}`);
    return this.#build(call.name, definition, call.args);
  }

  predicate(expression: BooleanExpression): Predicate {
    switch (expression.kind) {
      case 'constant':
        return () => expression.value;
      case 'not': {
        const operand = this.predicate(expression.operand);
        return (context) => !operand(context);
      }
      case 'and': {
        const operands = expression.operands.map((operand) => this.predicate(operand));
        return (context) => operands.every((operand) => operand(context));
      }
      case 'or': {
        const operands = expression.operands.map((operand) => this.predicate(operand));
        return (context) => operands.some((operand) => operand(context));
      }
      case 'compare': {
        const left = this.getter(expression.left);
        const right = this.getter(expression.right);
        const { operator } = expression;
        return (context) => compare(left(context), operator, right(context));
      }
      case 'call': {
        const value = this.#converter(expression.call);
        return (context) => {
          const result = value(context);
          if (typeof result === 'boolean') return result;
          throw new OttlError('value returned from a constant expression converter is not a bool');
        };
      }
    }
  }

  getter(value: Value): Getter {
    switch (value.kind) {
      case 'nil':
        return () => null;
      case 'literal': {
        const { value: literal } = value;
        return () => literal;
      }
      case 'enum': {
        const number = enumValue(this.#rules.context, value.symbol);
        return () => number;
      }
      case 'path':
        return this.#tools.access(value).get;
      case 'call':
        return this.#converter(value.call);
      case 'list': {
        const items = value.items.map((item) => this.getter(item));
        return (context) =>
          GoList.named(
            '[]interface {}',
            items.map((item) => toTyped(item(context))),
          );
      }
      case 'map': {
        const entries = value.entries.map(([key, item]) => [key, this.getter(item)] as const);
        return (context): OttlValue =>
          new Map<string, TypedValue>(entries.map(([key, item]) => [key, toTyped(item(context))]));
      }
      case 'negate': {
        const operand = this.getter(value.operand);
        return (context) => negate(operand(context));
      }
      case 'math': {
        const left = this.getter(value.left);
        const right = this.getter(value.right);
        const { operator } = value;
        return (context) => calculate(left(context), operator, right(context));
      }
    }
  }

  #converter(call: Call): Getter {
    const definition = converterNamed(call.name, this.#rules.context);
    if (definition === undefined) throw new Error(`undefined function ${JSON.stringify(call.name)}`);
    const value = this.#build(call.name, definition, call.args);
    if (call.keys.length === 0) return value;
    const keys = call.keys.map((key) => this.getter(key));
    return (context) => valueAt(toTyped(value(context)), keys, context);
  }

  #build<T>(
    name: string,
    definition: { readonly parameters: readonly string[]; readonly build: (args: Arguments) => T },
    args: readonly Argument[],
  ): T {
    let ready: Arguments;
    try {
      ready = new Arguments(name, definition.parameters, args, this.#tools);
    } catch (error) {
      throw argumentsError(name, error);
    }
    try {
      return definition.build(ready);
    } catch (error) {
      if (error instanceof ArgumentError) throw argumentsError(name, error);
      throw new Error(`couldn't create function: ${(error as Error).message}`);
    }
  }

  /** A converter as an argument (`SHA256`): what it makes of one value. */
  #converterOfOne(name: string): ((input: Getter) => Getter) | undefined {
    const definition = converterNamed(name, this.#rules.context);
    if (definition === undefined) return undefined;
    const required = definition.parameters.filter((parameter) => !parameter.endsWith('?'));
    if (required.length !== 1) return undefined;
    return (input) => {
      const tools: ArgumentTools = { ...this.#tools, getter: () => input };
      // Stands for the value; anything that is no literal does.
      const argument: Argument = { name: undefined, value: { kind: 'list', items: [] } };
      return definition.build(new Arguments(name, definition.parameters, [argument], tools));
    };
  }
}

const argumentsError = (name: string, error: unknown): Error =>
  new Error(`error while parsing arguments for call to ${JSON.stringify(name)}: ${(error as Error).message}`);
