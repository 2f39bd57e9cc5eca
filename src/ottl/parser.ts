/**
 * From text to syntax tree, by recursive descent with backtracking where the grammar is ambiguous. Error sentences are
 * those of the Collector's parser for the mistakes that people make; it names the same place for all of them.
 * Source: OpenTelemetry Collector Contrib 0.159, pkg/ottl (GRAMMAR.md, grammar.go).
 */
import type {
  Argument,
  BooleanExpression,
  Call,
  CompareOperator,
  MathOperator,
  Path,
  Segment,
  Statement,
  Value,
} from './ast.js';
import { OttlSyntaxError, placeOf, type Token, type TokenType, tokenize } from './lexer.js';

/** What the Collector's parser says it expects where a value should be. */
const VALUE = 'Field ("." Field)*';

/** Parentheses, lists and calls in each other. */
const MAX_DEPTH = 64;

/** Throws `OttlSyntaxError`. */
export const parseStatement = (source: string): Statement =>
  inContext('statement', () => new Parser(source).statement());

/** Throws `OttlSyntaxError`. */
export const parseCondition = (source: string): BooleanExpression =>
  inContext('condition', () => new Parser(source).condition());

function inContext<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof OttlSyntaxError) || error instanceof MisuseError) throw error;
    throw new OttlSyntaxError(`${what} has invalid syntax: ${error.message}`);
  }
}

/** Good grammar that makes no sense; its sentence stands alone. */
class MisuseError extends OttlSyntaxError {}

/** A branch that did not fit; `at` says how far it came. */
class Mismatch extends OttlSyntaxError {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const keyOf = (key: Value): string => (key.kind === 'literal' ? String(key.value) : '...');

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  statement(): Statement {
    if (this.#isCall('Uppercase')) {
      const { name } = this.#call();
      throw new MisuseError(`editor names must start with a lowercase letter but got '${name}'`);
    }
    const editor = this.#call();
    if (editor.keys.length > 0) {
      throw new MisuseError(
        `only paths and converters may be indexed, not editors, but got ${editor.name}[${editor.keys.map(keyOf).join(' ')}]`,
      );
    }
    const where = this.#accept('Lowercase', 'where') === undefined ? undefined : this.#or();
    this.#end();
    return { editor, where };
  }

  condition(): BooleanExpression {
    const condition = this.#or();
    this.#end();
    return condition;
  }

  #end(): void {
    if (this.#token.type !== 'EOF') this.#unexpected('');
  }

  get #token(): Token {
    return this.#tokens[this.#at]!;
  }

  #peek(distance: number): Token {
    return this.#tokens[Math.min(this.#at + distance, this.#tokens.length - 1)]!;
  }

  #accept(type: TokenType, text?: string): Token | undefined {
    const token = this.#token;
    if (token.type !== type || (text !== undefined && token.text !== text)) return undefined;
    this.#at++;
    return token;
  }

  #expect(type: TokenType, text: string, expected: string): Token {
    return this.#accept(type, text) ?? this.#unexpected(expected);
  }

  #unexpected(expected: string): never {
    const { text, offset } = this.#token;
    const hint = expected === '' ? '' : ` (expected ${expected})`;
    throw new Mismatch(
      `${placeOf(this.#source, offset)}: unexpected token ${JSON.stringify(text)}${hint}`,
      this.#at,
    );
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw new MisuseError(`expressions are nested deeper than ${MAX_DEPTH}`);
    }
    try {
      return parse();
    } finally {
      this.#depth--;
    }
  }

  /** The result, or undefined with everything as before and the reason kept. */
  #try<T>(parse: () => T): T | Mismatch {
    const start = this.#at;
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      this.#at = start;
      return error;
    }
  }

  #or(): BooleanExpression {
    return this.#nested(() => {
      const operands = [this.#and()];
      while (this.#accept('OpOr') !== undefined) operands.push(this.#and());
      return operands.length === 1 ? operands[0]! : { kind: 'or', operands };
    });
  }

  #and(): BooleanExpression {
    const operands = [this.#booleanValue()];
    while (this.#accept('OpAnd') !== undefined) operands.push(this.#booleanValue());
    return operands.length === 1 ? operands[0]! : { kind: 'and', operands };
  }

  #booleanValue(): BooleanExpression {
    if (this.#accept('OpNot') !== undefined) return { kind: 'not', operand: this.#plainBoolean() };
    return this.#plainBoolean();
  }

  #plainBoolean(): BooleanExpression {
    let best = new Mismatch('', -1);
    for (const branch of [() => this.#comparison(), () => this.#constant(), () => this.#group()]) {
      const result = this.#try(branch);
      if (!(result instanceof Mismatch)) return result;
      if (result.at > best.at) best = result;
    }
    throw best;
  }

  #comparison(): BooleanExpression {
    const left = this.#value();
    const operator = this.#accept('OpComparison') ?? this.#unexpected('<opcomparison> Value');
    const right = this.#value();
    return { kind: 'compare', left, operator: operator.text as CompareOperator, right };
  }

  #constant(): BooleanExpression {
    const constant = this.#accept('Boolean');
    if (constant !== undefined) return { kind: 'constant', value: constant.text === 'true' };
    if (this.#isCall('Uppercase')) return { kind: 'call', call: this.#call() };
    return this.#unexpected('');
  }

  #group(): BooleanExpression {
    this.#expect('Punct', '(', '');
    const inner = this.#or();
    this.#expect('Punct', ')', '")"');
    return inner;
  }

  #value(): Value {
    return this.#nested(() => this.#plainValue());
  }

  #plainValue(): Value {
    const token = this.#token;
    switch (token.type) {
      case 'Nil':
        this.#at++;
        return { kind: 'nil' };
      case 'Bytes': {
        this.#at++;
        const digits = token.text.slice(2);
        if (digits.length % 2 === 1) {
          throw new OttlSyntaxError(
            `${placeOf(this.#source, token.offset)}: failed to capture: encoding/hex: odd length hex string`,
          );
        }
        return { kind: 'literal', value: new Uint8Array(Buffer.from(digits, 'hex')) };
      }
      case 'String':
        this.#at++;
        return { kind: 'literal', value: token.text };
      case 'Boolean':
        this.#at++;
        return { kind: 'literal', value: token.text === 'true' };
      case 'Uppercase':
        if (!this.#isCall('Uppercase')) {
          if (this.#peek(1).type === 'Lowercase') this.#unexpected(VALUE);
          this.#at++;
          return { kind: 'enum', symbol: token.text };
        }
        return this.#sum();
      case 'Punct':
        if (token.text === '[') return this.#list();
        if (token.text === '{') return this.#map();
        return token.text === '(' ? this.#sum() : this.#unexpected(VALUE);
      case 'Lowercase':
      case 'Int':
      case 'Float':
      case 'OpAddSub':
        return this.#sum();
      default:
        return this.#unexpected(VALUE);
    }
  }

  #sum(): Value {
    let left = this.#product();
    for (;;) {
      const operator = this.#accept('OpAddSub');
      if (operator === undefined) return left;
      left = { kind: 'math', left, operator: operator.text as MathOperator, right: this.#product() };
    }
  }

  #product(): Value {
    let left = this.#mathValue();
    for (;;) {
      const operator = this.#accept('OpMultDiv');
      if (operator === undefined) return left;
      left = { kind: 'math', left, operator: operator.text as MathOperator, right: this.#mathValue() };
    }
  }

  #mathValue(): Value {
    const sign = this.#accept('OpAddSub')?.text;
    const value = this.#accept('Punct', '(') === undefined ? this.#mathLiteral() : this.#mathGroup();
    if (sign !== '-') return value;
    if (value.kind === 'literal' && typeof value.value === 'bigint') {
      return { kind: 'literal', value: -value.value };
    }
    if (value.kind === 'literal' && typeof value.value === 'number') {
      return { kind: 'literal', value: -value.value };
    }
    return { kind: 'negate', operand: value };
  }

  #mathGroup(): Value {
    return this.#nested(() => {
      const inner = this.#sum();
      this.#expect('Punct', ')', '")"');
      return inner;
    });
  }

  #mathLiteral(): Value {
    const token = this.#token;
    if (token.type === 'Float' || token.type === 'Int') {
      this.#at++;
      if (token.type === 'Float') return { kind: 'literal', value: Number(token.text) };
      const value = BigInt(token.text);
      if (BigInt.asIntN(64, value) === value) return { kind: 'literal', value };
      throw new OttlSyntaxError(
        `${placeOf(this.#source, token.offset)}: failed to conform: strconv.ParseInt: parsing "${token.text}": value out of range`,
      );
    }
    if (this.#isCall('Uppercase')) return { kind: 'call', call: this.#call() };
    if (this.#isCall('Lowercase')) {
      const { name } = this.#call();
      throw new MisuseError(`converter names must start with an uppercase letter but got '${name}'`);
    }
    return { kind: 'path', path: this.#path() };
  }

  #path(): Path {
    const { offset } = this.#token;
    const segments = [this.#segment()];
    while (this.#token.text === '.' && this.#peek(1).type === 'Lowercase') {
      this.#at++;
      segments.push(this.#segment());
    }
    return { segments, offset };
  }

  #segment(): Segment {
    const name = this.#accept('Lowercase') ?? this.#unexpected(VALUE);
    return { name: name.text, keys: this.#keys() };
  }

  /** Keys in brackets. A bracket that is no key is left to whoever comes next, as in the Collector's parser. */
  #keys(): Value[] {
    const keys: Value[] = [];
    while (this.#token.type === 'Punct' && this.#token.text === '[') {
      const key = this.#try(() => {
        this.#at++;
        const value = this.#token.type === 'String' ? this.#plainValue() : this.#nested(() => this.#sum());
        this.#expect('Punct', ']', '"]"');
        return value;
      });
      if (key instanceof Mismatch) break;
      keys.push(key);
    }
    return keys;
  }

  /** Whether a function call begins here: a name in one or more words of either case, and a parenthesis. */
  #isCall(first: 'Uppercase' | 'Lowercase'): boolean {
    return this.#token.type === first && this.#peek(this.#nameLength(first)).text === '(';
  }

  /** How many words the name that begins here has. Space between them does not count, as in the Collector's parser. */
  #nameLength(first: 'Uppercase' | 'Lowercase'): number {
    if (this.#token.type !== first) return 0;
    let length = 1;
    while (['Uppercase', 'Lowercase'].includes(this.#peek(length).type)) length++;
    return length;
  }

  #name(length: number): string {
    let name = '';
    for (let index = 0; index < length; index++) name += this.#tokens[this.#at++]!.text;
    return name;
  }

  #call(): Call {
    return this.#nested(() => {
      const first = this.#token.type === 'Uppercase' ? 'Uppercase' : 'Lowercase';
      const length = this.#nameLength(first);
      if (length === 0) this.#unexpected('');
      const name = this.#name(length);
      this.#expect('Punct', '(', '"(" (Argument ("," Argument)*)? ")" Key*');
      const args: Argument[] = [];
      if (this.#token.text !== ')' || this.#token.type === 'String') {
        args.push(this.#argument());
        for (;;) {
          const next = this.#try(() => {
            this.#expect('Punct', ',', '');
            return this.#argument();
          });
          if (next instanceof Mismatch) break;
          args.push(next);
        }
      }
      this.#expect('Punct', ')', '")" Key*');
      return { name, args, keys: this.#keys() };
    });
  }

  #argument(): Argument {
    const length = this.#nameLength('Lowercase');
    let name: string | undefined;
    if (length > 0 && this.#peek(length).type === 'Equal') {
      name = this.#name(length);
      this.#at++;
    }
    const words = this.#nameLength('Uppercase');
    if (words > 1 && !this.#isCall('Uppercase')) {
      return { name, value: { kind: 'function', name: this.#name(words) } };
    }
    return { name, value: this.#value() };
  }

  #list(): Value {
    this.#at++;
    const items: Value[] = [];
    while (!(this.#token.type === 'Punct' && this.#token.text === ']')) {
      items.push(this.#value());
      if (this.#accept('Punct', ',') === undefined) break;
    }
    this.#expect('Punct', ']', '"]"');
    return { kind: 'list', items };
  }

  #map(): Value {
    this.#at++;
    const entries: [string, Value][] = [];
    while (this.#token.type === 'String') {
      const key = this.#accept('String')!.text;
      this.#expect('Punct', ':', '":" Value');
      entries.push([key, this.#value()]);
      this.#accept('Punct', ',');
    }
    this.#expect('Punct', '}', '"}"');
    return { kind: 'map', entries };
  }
}
