/**
 * Which context statements are about that name it in their paths only (`span.name`).
 * Source: OpenTelemetry Collector Contrib 0.159, pkg/ottl/context_inferrer.go.
 */
import type { ContextName } from './context.js';
import { VISIBLE } from './context.js';
import { hasEnum } from './enums.js';
import { hasFunction } from './functions/registry.js';
import { parseCondition, parseStatement } from './parser.js';
import { type Names, namesIn } from './syntax-walk.js';

/** From the most special to the most general. */
const SPECIFICITY: readonly string[] = [
  'log',
  'exemplar',
  'datapoint',
  'metric',
  'spanevent',
  'span',
  'profile',
  'scope',
  'instrumentation_scope',
  'resource',
];

export interface Texts {
  readonly statements?: readonly string[];
  readonly conditions?: readonly string[];
}

/**
 * The context that all texts fit: the most special one that their paths name, or, where that one lacks a function or an
 * enum, one that sees it (`metric` from within `datapoint`). Undefined when no path names a context. Texts with neither
 * functions nor enums may name one that is not among `candidates`; for others that is an `Error` with the Collector's
 * reason. Throws `OttlSyntaxError`.
 */
export function inferContext(texts: Texts, candidates: readonly ContextName[]): string | undefined {
  const names = namesIn(
    ...(texts.statements ?? []).map(parseStatement),
    ...(texts.conditions ?? []).map(parseCondition),
  );
  const named = names.paths
    .filter(({ segments }) => segments.length > 1)
    .map(({ segments }) => segments[0]!.name);
  const inferred = SPECIFICITY.find((context) => named.includes(context)) ?? named[0];
  // Without functions and enums it is not even looked whether there is such a context: the caller's sentence is another.
  if (inferred === undefined || names.functions.size + names.enums.size === 0) return inferred;
  const problem = problemWith(inferred, names, candidates);
  if (problem === undefined) return inferred;
  const lower = SPECIFICITY.find(
    (name) =>
      name !== inferred &&
      (VISIBLE[name as ContextName] as readonly string[] | undefined)?.includes(inferred) &&
      problemWith(name, names, candidates) === undefined,
  );
  if (lower === undefined) throw new Error(problem);
  return lower;
}

/** Why the texts do not fit `inferred`; undefined when they do. */
function problemWith(inferred: string, names: Names, candidates: readonly ContextName[]): string | undefined {
  const context = candidates.find((one) => one === inferred);
  const words = `inferred context "${inferred}"`;
  if (context === undefined) return `${words} is not a valid candidate`;
  for (const name of names.functions) {
    if (!hasFunction(name, context)) return `${words} does not support the function "${name}"`;
  }
  for (const symbol of names.enums) {
    if (!hasEnum(context, symbol)) return `${words} does not support the enum symbol "${symbol}"`;
  }
  return undefined;
}

/** Texts as Go's `%+q` prints them. */
export const quotedList = (texts: readonly string[]): string => `[${texts.map(quoted).join(' ')}]`;

const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
