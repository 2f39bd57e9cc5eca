/** Statements and conditions from text to something that runs: the way into this folder. */
import type { BooleanExpression, Statement } from './ast.js';
import { Compiler, type Predicate } from './compile.js';
import { type ContextName, isVisible, type OttlContext } from './context.js';
import { parseCondition, parseStatement } from './parser.js';
import { namesIn } from './syntax-walk.js';

export interface CompiledStatement {
  /** As written in the configuration. */
  readonly text: string;
  /** Runs the editor where the condition holds. Throws `OttlError` when the data does not allow it. */
  readonly run: (context: OttlContext) => void;
}

export interface CompiledCondition {
  readonly text: string;
  readonly test: Predicate;
}

/** How the paths of a text name their context. */
export type PathStyle =
  /** `name`, and `span.name` too. */
  | 'plain'
  /** `span.name` only. */
  | 'prefixed'
  /** As `prefixed`, but paths without a context get the given one first. */
  | 'completed';

/** Throws an `Error` with the Collector's sentence. */
export function compileStatement(text: string, context: ContextName, style: PathStyle): CompiledStatement {
  const source = style === 'completed' ? complete(text, context, parseStatement(text)) : text;
  try {
    const statement = parseStatement(source);
    const compiler = new Compiler({ context, prefixed: style !== 'plain' });
    const edit = compiler.editor(statement.editor);
    if (statement.where === undefined) return { text, run: edit };
    const where = compiler.predicate(statement.where);
    return {
      text,
      run: (place) => {
        if (where(place)) edit(place);
      },
    };
  } catch (error) {
    throw new Error(`unable to parse OTTL statement ${JSON.stringify(source)}: ${(error as Error).message}`);
  }
}

/** Throws an `Error` with the Collector's sentence. */
export function compileCondition(text: string, context: ContextName, style: PathStyle): CompiledCondition {
  const source = style === 'completed' ? complete(text, context, parseCondition(text)) : text;
  try {
    const condition = parseCondition(source);
    return { text, test: new Compiler({ context, prefixed: style !== 'plain' }).predicate(condition) };
  } catch (error) {
    throw new Error(`unable to parse OTTL condition ${JSON.stringify(source)}: ${(error as Error).message}`);
  }
}

/** `text` with `context.` before each path that names no context. */
function complete(text: string, context: ContextName, tree: Statement | BooleanExpression): string {
  const offsets = namesIn(tree)
    .paths.filter(({ segments }) => segments.length < 2 || !isVisible(context, segments[0]!.name))
    .map(({ offset }) => offset)
    .sort((a, b) => b - a);
  return offsets.reduce(
    (whole, offset) => `${whole.slice(0, offset)}${context}.${whole.slice(offset)}`,
    text,
  );
}
