/**
 * `db.query.summary`: operations and what they apply to, in the order and the case in which they stand in the statement
 * (semantic conventions 1.44, database spans, "Generating a summary of the query").
 *
 *     INSERT INTO shipping (id) SELECT id FROM orders WHERE total > 5     INSERT shipping SELECT orders
 *
 * No grammar: keywords after which a name stands, and parentheses. `FROM` inside the parentheses of a function
 * (`extract(year from x)`) names no table, names of `WITH` are none.
 */
import { TOKEN, type Token } from './tokens.js';

export interface SqlSummary {
  /** At most 255 characters, never cut inside a name; '' when there is no statement. */
  readonly summary: string;
  /** As written: `SELECT`, `CREATE TABLE`. */
  readonly operations: readonly string[];
  readonly targets: readonly string[];
  /** The target of a `CALL`. */
  readonly procedure: string | undefined;
}

const LONGEST = 255;
/** More parts than this do not fit into a summary of any use. */
const MAX_PARTS = 32;

/** Anywhere in a statement they begin an operation with targets of its own. */
const INNER = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'REPLACE']);
/** Before these words, `UPDATE`, `DELETE` and the like are parts of a clause. */
const CLAUSE_BEFORE = new Set(['FOR', 'KEY', 'DO', 'ON', 'OR', 'BEFORE', 'AFTER', 'OF', 'THEN', ',', '.']);
/** The first word of a statement and the kind of thing that follows it. */
const DEFINITIONS = new Set(['CREATE', 'DROP', 'ALTER', 'TRUNCATE']);
const DEFINED = new Set([
  'TABLE',
  'VIEW',
  'INDEX',
  'SCHEMA',
  'DATABASE',
  'SEQUENCE',
  'FUNCTION',
  'PROCEDURE',
  'TRIGGER',
  'TYPE',
  'USER',
  'ROLE',
  'EXTENSION',
  'DOMAIN',
  'EVENT',
  'PUBLICATION',
  'SUBSCRIPTION',
  'SERVER',
  'POLICY',
]);
/** Definitions whose bodies are statements, which run another time. */
const WITH_BODY = new Set(['FUNCTION', 'PROCEDURE', 'TRIGGER', 'EVENT']);
/** Between a definition's verb and the kind of thing. */
const MODIFIERS = new Set([
  'OR',
  'REPLACE',
  'UNIQUE',
  'TEMP',
  'TEMPORARY',
  'UNLOGGED',
  'MATERIALIZED',
  'GLOBAL',
  'LOCAL',
  'FULLTEXT',
  'SPATIAL',
  'RECURSIVE',
]);
/** Between a keyword and the name it takes. */
const FILLERS = new Set([
  'IF',
  'NOT',
  'EXISTS',
  'ONLY',
  'LOW_PRIORITY',
  'DELAYED',
  'HIGH_PRIORITY',
  'IGNORE',
  'QUICK',
  'INTO',
  'TABLE',
  'CONCURRENTLY',
  'LATERAL',
  'VERBOSE',
  'FULL',
  'ANALYZE',
  'LOCAL',
  'NO_WRITE_TO_BINLOG',
]);
/** First words whose next word is what they apply to. */
const TAKES_TARGET = new Set([
  'CALL',
  'EXEC',
  'VACUUM',
  'ANALYZE',
  'LOCK',
  'USE',
  'REINDEX',
  'CLUSTER',
  'COPY',
  'DESCRIBE',
  'DESC',
]);
/** Words that end a list of tables. */
const LIST_ENDS = new Set([
  'WHERE',
  'SET',
  'VALUES',
  'VALUE',
  'GROUP',
  'ORDER',
  'HAVING',
  'LIMIT',
  'OFFSET',
  'FETCH',
  'UNION',
  'INTERSECT',
  'EXCEPT',
  'RETURNING',
  'WINDOW',
  'FOR',
  'WITH',
  'DEFAULT',
]);
/** No name follows, whatever keyword stood before. */
const NO_NAME = new Set([...LIST_ENDS, 'SELECT', 'AS', 'ON', 'UNNEST', 'VALUES']);

/** State of one pair of parentheses, or of the statement outside of all. */
interface Level {
  /** A SELECT or DELETE has begun here: FROM names tables. */
  query: boolean;
  /** Inside a list of tables: a comma is followed by another one. */
  list: boolean;
  /** The operation here was INSERT or the like: INTO names a table. */
  writes: boolean;
  /** Or one whose other table stands after USING. */
  using: boolean;
}

export function summariseSql(text: string, tokens: readonly Token[]): SqlSummary {
  return new Summariser(text, tokens).run();
}

class Summariser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #parts: string[] = [];
  readonly #operations: string[] = [];
  readonly #targets: string[] = [];
  readonly #withNames = new Set<string>();
  #levels: Level[] = [newLevel()];
  #procedure: string | undefined;
  #first = true;
  /** The next name is a target. */
  #expecting = false;
  /** It is a procedure. */
  #calling = false;
  /** The statement begins with WITH, and its main operation has not come yet. */
  #withList = false;
  #before = '';
  /** Nothing after the name that is expected belongs to the summary. */
  #lastTarget = false;
  #done = false;

  constructor(text: string, tokens: readonly Token[]) {
    this.#text = text;
    this.#tokens = tokens.filter(({ kind }) => kind !== TOKEN.comment);
  }

  run(): SqlSummary {
    for (let i = 0; i < this.#tokens.length && this.#parts.length < MAX_PARTS && !this.#done; )
      i = this.#step(i);
    let summary = '';
    for (const part of this.#parts) {
      const longer = summary === '' ? part : `${summary} ${part}`;
      if (longer.length > LONGEST) break;
      summary = longer;
    }
    return {
      summary,
      operations: this.#operations,
      targets: this.#targets,
      procedure: this.#procedure,
    };
  }

  get #level(): Level {
    return this.#levels.at(-1)!;
  }

  /** Reads the token at `i` and returns the index of the next one. */
  #step(i: number): number {
    const token = this.#tokens[i]!;
    switch (token.kind) {
      case TOKEN.word:
        return this.#word(i, this.#text.slice(token.start, token.end));
      case TOKEN.quotedName:
        return this.#expecting ? this.#target(i) : this.#other(i, '"');
      case TOKEN.literal:
        // FROM 'artists': a name to some databases, and nothing to hide.
        this.#expecting = false;
        return this.#other(i, "'");
      case TOKEN.symbol:
        return this.#symbol(i, this.#text.slice(token.start, token.end));
      default:
        this.#expecting = false;
        return this.#other(i, '?');
    }
  }

  #other(i: number, before: string): number {
    this.#before = before;
    this.#first = false;
    return i + 1;
  }

  #symbol(i: number, symbol: string): number {
    if (symbol === ';') {
      this.#levels = [newLevel()];
      this.#expecting = false;
      this.#withList = false;
      this.#withNames.clear();
      this.#before = ';';
      this.#first = true;
      return i + 1;
    }
    if (symbol === '(') {
      this.#levels.push(newLevel());
      // A parenthesis at the beginning encloses the statement.
      if (!this.#first) this.#expecting = false;
      this.#before = '(';
      return i + 1;
    }
    if (symbol === ')') {
      if (this.#levels.length > 1) this.#levels.pop();
      this.#expecting = false;
    } else if (symbol === ',') this.#expecting = this.#level.list;
    // JDBC's {call name(...)}
    else if (symbol === '{' && this.#first) return i + 1;
    return this.#other(i, symbol);
  }

  #word(i: number, word: string): number {
    const upper = word.toUpperCase();
    const before = this.#before;
    const first = this.#first;
    this.#before = upper;
    this.#first = false;
    if (this.#expecting && FILLERS.has(upper)) return i + 1;
    if (INNER.has(upper) && this.#isOperation(i, upper, before, first)) return this.#inner(i, word, upper);
    if (this.#expecting && !NO_NAME.has(upper)) return this.#target(i);
    this.#expecting = false;
    if (first) return this.#firstWord(i, word, upper);
    const level = this.#level;
    if (this.#withList && (upper === 'AS' || this.#symbolAt(i + 1) === '(') && this.#levels.length === 1) {
      const name = upper === 'AS' ? before : upper;
      if (name !== ')' && name !== 'MATERIALIZED') this.#withNames.add(name);
      return i + 1;
    }
    if (upper === 'FROM') {
      this.#expecting = level.query && before !== 'DISTINCT';
      if (this.#expecting) level.list = true;
    } else if (upper === 'JOIN' || upper === 'STRAIGHT_JOIN') this.#expecting = level.query;
    else if (upper === 'USING') this.#expecting = level.using && this.#symbolAt(i + 1) !== '(';
    else if (upper === 'INTO') this.#expecting = level.writes;
    else if (LIST_ENDS.has(upper)) level.list = false;
    return i + 1;
  }

  /** `UPDATE` in `FOR UPDATE` or `ON DUPLICATE KEY UPDATE` and functions of these names are no operations. */
  #isOperation(i: number, upper: string, before: string, first: boolean): boolean {
    if (upper === 'SELECT') return true;
    if (CLAUSE_BEFORE.has(before) || this.#symbolAt(i + 1) === '(') return false;
    return first || before === '(' || before === ')' || before === 'AS' || !this.#level.query;
  }

  #inner(i: number, word: string, upper: string): number {
    this.#operation(word);
    const level = this.#level;
    level.list = false;
    level.query = true;
    level.writes = upper === 'INSERT' || upper === 'REPLACE' || upper === 'MERGE';
    level.using = upper === 'MERGE' || upper === 'DELETE';
    this.#expecting = upper === 'UPDATE' || level.writes;
    if (upper === 'UPDATE') level.list = true;
    if (this.#levels.length === 1) this.#withList = false;
    return i + 1;
  }

  #firstWord(i: number, word: string, upper: string): number {
    if (upper === 'WITH') {
      this.#withList = true;
      return i + 1;
    }
    // What is explained, declared or prepared is a statement of its own.
    if (upper === 'EXPLAIN' || upper === 'DECLARE' || upper === 'PREPARE') {
      this.#operation(word);
      return i + 1;
    }
    if (DEFINITIONS.has(upper)) return this.#definition(i, word);
    this.#operation(word);
    this.#expecting = TAKES_TARGET.has(upper);
    this.#calling = upper === 'CALL' || upper === 'EXEC';
    if (upper === 'COPY') this.#level.query = false;
    return i + 1;
  }

  /** `CREATE OR REPLACE TEMPORARY TABLE IF NOT EXISTS name`: an operation of two words. */
  #definition(i: number, word: string): number {
    let next = i + 1;
    while (MODIFIERS.has(this.#upperAt(next))) next++;
    if (!DEFINED.has(this.#upperAt(next))) {
      this.#operation(word);
      this.#expecting = true;
      return i + 1;
    }
    const kind = this.#tokens[next]!;
    const what = this.#text.slice(kind.start, kind.end);
    this.#operation(`${word} ${what}`);
    this.#expecting = true;
    const verb = word.toUpperCase();
    this.#lastTarget = verb === 'CREATE' && WITH_BODY.has(what.toUpperCase());
    this.#level.list = verb === 'DROP' || verb === 'TRUNCATE';
    this.#before = what.toUpperCase();
    return next + 1;
  }

  #operation(word: string): void {
    this.#operations.push(word);
    this.#parts.push(word);
  }

  /** A name of one or more parts: `shop.orders`, `"Shop"."Orders"`. Returns the index after it. */
  #target(i: number): number {
    this.#expecting = false;
    this.#done = this.#lastTarget;
    this.#first = false;
    let last = i;
    while (this.#symbolAt(last + 1) === '.' && this.#isName(last + 2)) last += 2;
    const name = this.#text.slice(this.#tokens[i]!.start, this.#tokens[last]!.end);
    this.#before = name.toUpperCase();
    if (this.#calling) {
      this.#calling = false;
      this.#procedure = name;
    } else if (this.#symbolAt(last + 1) === '(' && this.#isFunction(i)) return last + 1;
    if (last === i && this.#withNames.has(name.toUpperCase())) return last + 1;
    if (this.#procedure !== name) this.#targets.push(name);
    this.#parts.push(name);
    return last + 1;
  }

  /** `FROM generate_series(1, 5)` names no table; `INSERT INTO orders(id)` does. */
  #isFunction(i: number): boolean {
    let keyword = i - 1;
    while (keyword > 0 && FILLERS.has(this.#upperAt(keyword)) && this.#upperAt(keyword) !== 'INTO') keyword--;
    const upper = this.#upperAt(keyword);
    return upper === 'FROM' || upper === 'JOIN' || this.#symbolAt(keyword) === ',';
  }

  #isName(i: number): boolean {
    const kind = this.#tokens[i]?.kind;
    return kind === TOKEN.word || kind === TOKEN.quotedName;
  }

  #upperAt(i: number): string {
    const token = this.#tokens[i];
    return token?.kind === TOKEN.word ? this.#text.slice(token.start, token.end).toUpperCase() : '';
  }

  #symbolAt(i: number): string | undefined {
    const token = this.#tokens[i];
    return token?.kind === TOKEN.symbol ? this.#text[token.start] : undefined;
  }
}

function newLevel(): Level {
  return { query: false, list: false, writes: false, using: false };
}
