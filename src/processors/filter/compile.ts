/** From the settings of `filter` to conditions by context. */
import type { ContextName } from '../../ottl/context.js';
import type { ErrorMode } from '../../ottl/error-mode.js';
import { inferContext, quotedList } from '../../ottl/infer-context.js';
import { type CompiledCondition, compileCondition } from '../../ottl/statement.js';
import type { ConditionGroup, FilterConfig } from './config.js';

export type FilterSignal = 'traces' | 'metrics' | 'logs';

export interface FilterCondition extends CompiledCondition {
  readonly errorMode: ErrorMode;
}

/** Conditions of each context; absent where there are none. */
export type FilterConditions = Partial<Record<ContextName, readonly FilterCondition[]>>;

/** Names of the old settings and the context that each is about. */
const SETTINGS = {
  traces: { resource: 'resource', span: 'span', spanevent: 'spanevent' },
  metrics: { resource: 'resource', metric: 'metric', datapoint: 'datapoint' },
  logs: { resource: 'resource', log_record: 'log' },
} as const satisfies Record<FilterSignal, Readonly<Record<string, ContextName>>>;

const FLAT = { traces: 'trace_conditions', metrics: 'metric_conditions', logs: 'log_conditions' } as const;

/** Contexts of each signal in the order in which the Collector lists them. */
const CONTEXTS: Readonly<Record<FilterSignal, readonly ContextName[]>> = {
  traces: ['resource', 'scope', 'span', 'spanevent'],
  metrics: ['resource', 'scope', 'metric', 'datapoint'],
  logs: ['resource', 'scope', 'log'],
};

/** Throws an `Error` with the Collector's sentences, one per line. */
export function compileFilter(config: FilterConfig, signal: FilterSignal): FilterConditions {
  const conditions: Partial<Record<ContextName, FilterCondition[]>> = {};
  const problems: string[] = [];
  const add = (context: ContextName, mode: ErrorMode, compile: () => CompiledCondition) => {
    try {
      const list = conditions[context] ?? [];
      list.push({ ...compile(), errorMode: mode });
      conditions[context] = list;
    } catch (error) {
      problems.push((error as Error).message);
    }
  };
  const { [signal]: own } = config;
  const settings: Readonly<Record<string, readonly string[] | undefined>> = Object.fromEntries(
    Object.entries(own).filter((entry): entry is [string, string[]] => Array.isArray(entry[1])),
  );
  const flat = config[FLAT[signal]];
  if (flat !== undefined && Object.values(settings).some((list) => list !== undefined)) {
    const names = Object.keys(SETTINGS[signal]).map((name) => `"${signal}.${name}"`);
    throw new Error(
      `cannot use context inferred ${signal.slice(0, -1)} conditions "${FLAT[signal]}" and the settings ${names.join(', ')} at the same time`,
    );
  }
  for (const [name, context] of Object.entries(SETTINGS[signal])) {
    for (const text of settings[name] ?? []) {
      add(context, config.error_mode, () => compileCondition(text, context, 'plain'));
    }
  }
  for (const group of groupsOf(flat ?? [])) {
    const { context, style } = contextOf(group, signal);
    for (const text of group.conditions) {
      add(context, group.error_mode ?? config.error_mode, () => compileCondition(text, context, style));
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return conditions;
}

/** Texts side by side are one group. */
function groupsOf(list: readonly (string | ConditionGroup)[]): ConditionGroup[] {
  const texts = list.filter((one) => typeof one === 'string');
  const groups = list.filter((one) => typeof one !== 'string');
  if (texts.length > 0 && groups.length > 0) {
    throw new Error(
      'configuring multiple configuration styles is not supported, please use only Basic configuration or only Advanced configuration',
    );
  }
  return texts.length > 0 ? [{ conditions: texts }] : groups;
}

function contextOf(
  group: ConditionGroup,
  signal: FilterSignal,
): { context: ContextName; style: 'prefixed' | 'completed' } {
  const known = CONTEXTS[signal];
  if (group.context !== undefined) {
    const context = known.find((name) => name === group.context!.toLowerCase());
    if (context !== undefined) return { context, style: 'completed' };
    throw new Error(`unknown context "${group.context}" for conditions: [${group.conditions.join(' ')}]`);
  }
  const inferred = inferContext({ conditions: group.conditions }, known);
  const context = known.find((name) => name === inferred);
  if (context !== undefined) return { context, style: 'prefixed' };
  const [names, texts] = [quotedList(known), quotedList(group.conditions)];
  throw new Error(
    inferred === undefined
      ? `unable to infer context from conditions, path's first segment must be a valid context name: ${names}, and at least one context must be capable of parsing all conditions: ${texts}`
      : `context "${inferred}" inferred from the conditions ${texts} is not a supported context: ${names}`,
  );
}
