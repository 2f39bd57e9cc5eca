/** From the settings of `transform` to groups of statements that run. */
import type { ContextName } from '../../ottl/context.js';
import type { ErrorMode } from '../../ottl/error-mode.js';
import { inferContext, quotedList } from '../../ottl/infer-context.js';
import {
  type CompiledCondition,
  type CompiledStatement,
  compileCondition,
  compileStatement,
} from '../../ottl/statement.js';
import type { StatementGroup, TransformConfig } from './config.js';

export type TransformSignal = 'traces' | 'metrics' | 'logs';

export interface CompiledGroup {
  readonly context: ContextName;
  /** One must hold, when there are any. */
  readonly conditions: readonly CompiledCondition[];
  readonly statements: readonly CompiledStatement[];
  readonly errorMode: ErrorMode;
}

const SETTINGS = {
  traces: 'trace_statements',
  metrics: 'metric_statements',
  logs: 'log_statements',
} as const;

/** Contexts of each signal in the order in which the Collector lists them. */
const CONTEXTS: Readonly<Record<TransformSignal, readonly ContextName[]>> = {
  traces: ['resource', 'scope', 'span', 'spanevent'],
  metrics: ['resource', 'scope', 'metric', 'datapoint', 'exemplar'],
  logs: ['resource', 'scope', 'log'],
};

/** Throws an `Error` with the Collector's sentences, one per line. */
export function compileTransform(config: TransformConfig, signal: TransformSignal): CompiledGroup[] {
  const problems: string[] = [];
  const collect = <T>(compile: () => T): T[] => {
    try {
      return [compile()];
    } catch (error) {
      problems.push((error as Error).message);
      return [];
    }
  };
  const groups = groupsOf(config[SETTINGS[signal]]).flatMap((group) =>
    collect(() => contextOf(group, signal)).map(({ context, style }) => ({
      context,
      conditions: group.conditions.flatMap((text) => collect(() => compileCondition(text, context, style))),
      statements: group.statements.flatMap((text) => collect(() => compileStatement(text, context, style))),
      errorMode: group.error_mode ?? config.error_mode,
    })),
  );
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return groups;
}

/** Texts are one group. */
function groupsOf(list: readonly (string | StatementGroup)[]): StatementGroup[] {
  const texts = list.filter((one) => typeof one === 'string');
  const groups = list.filter((one) => typeof one !== 'string');
  if (texts.length > 0 && groups.length > 0) {
    throw new Error(
      'configuring multiple configuration styles is not supported, please use only Basic configuration or only Advanced configuration',
    );
  }
  return texts.length > 0 ? [{ statements: texts, conditions: [] }] : groups;
}

function contextOf(
  group: StatementGroup,
  signal: TransformSignal,
): { context: ContextName; style: 'prefixed' | 'completed' } {
  const known = CONTEXTS[signal];
  if (group.context !== undefined) {
    const context = known.find((name) => name === group.context!.toLowerCase());
    if (context !== undefined) return { context, style: 'completed' };
    throw new Error(`unknown context "${group.context}" for statements: [${group.statements.join(' ')}]`);
  }
  const names = quotedList(known);
  const [statements, conditions] = [quotedList(group.statements), quotedList(group.conditions)];
  let context: ContextName | undefined;
  try {
    const inferred = inferContext(group, known);
    context = known.find((name) => name === inferred);
  } catch (error) {
    throw new Error(
      `unable to infer a valid context (${names}) from statements ${statements} and conditions ${conditions}: ${(error as Error).message}`,
    );
  }
  if (context !== undefined) return { context, style: 'prefixed' };
  // The Collector's sentence has its three lists in the wrong places; people search for it as it is.
  throw new Error(
    `unable to infer context from statements ${names} and conditions ${statements}, path's first segment must be a valid context name ${conditions}, and at least one context must be capable of parsing all statements`,
  );
}
