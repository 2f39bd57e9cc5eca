/** What spans say of a statement, worked out once for each text: applications send the same ones again and again. */
import { normaliseSql, sanitiseSql } from './sanitise.js';
import { type SqlSummary, summariseSql } from './summarise.js';
import { type SqlDialect, tokenise } from './tokens.js';

export interface SqlStatement extends SqlSummary {
  readonly sanitised: string;
  /** Literals kept, comments not. */
  readonly normalised: string;
}

/** Statements that are remembered; the oldest leave. */
const REMEMBERED = 1024;
/** Longer texts are not remembered: they are seldom the same. */
const LONGEST_REMEMBERED = 2048;

export class SqlStatements {
  readonly #dialect: SqlDialect;
  readonly #byText = new Map<string, SqlStatement>();

  constructor(dialect: SqlDialect) {
    this.#dialect = dialect;
  }

  of(text: string): SqlStatement {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const statement = new LazyStatement(text, this.#dialect);
    if (text.length <= LONGEST_REMEMBERED) {
      if (this.#byText.size >= REMEMBERED) {
        for (const oldest of this.#byText.keys()) {
          this.#byText.delete(oldest);
          break;
        }
      }
      this.#byText.set(text, statement);
    }
    return statement;
  }
}

class LazyStatement implements SqlStatement {
  readonly summary: string;
  readonly operations: readonly string[];
  readonly targets: readonly string[];
  readonly procedure: string | undefined;
  readonly sanitised: string;
  readonly #text: string;
  readonly #dialect: SqlDialect;
  #normalised: string | undefined;

  constructor(text: string, dialect: SqlDialect) {
    this.#text = text;
    this.#dialect = dialect;
    const tokens = tokenise(text, dialect);
    const { summary, operations, targets, procedure } = summariseSql(text, tokens);
    this.summary = summary;
    this.operations = operations;
    this.targets = targets;
    this.procedure = procedure;
    this.sanitised = sanitiseSql(text, tokens);
  }

  get normalised(): string {
    this.#normalised ??= normaliseSql(this.#text, tokenise(this.#text, this.#dialect));
    return this.#normalised;
  }
}
