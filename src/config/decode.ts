/**
 * Configuration tree to checked settings: zod does the checking, this file adds the Collector's conversions (what an
 * expanded `${env:X}` may become, what null means) and its sentences.
 */
import { z } from 'zod';
import type { $ZodIssue } from 'zod/v4/core';
import { DECODING_ISSUE } from './fields.js';
import { nearest } from './nearest.js';
import { type ConfigNode, goKind, goType, isNull, nodeAt, positionOf } from './node.js';
import type { Problem } from './problem.js';
import {
  COMPONENT_ID,
  collectorStructOf,
  collectorTypeOf,
  knownKeys,
  schemaAt,
  unwrap,
} from './schema-walk.js';

export interface DecodeNames {
  /** `::`-path of the thing that is decoded, for validation problems: `receivers::otlp`. */
  readonly path: string;
  /** Name of the whole where the schema has none: `debugexporter.Config`. */
  readonly type: string;
  /** Puts the sentence of a decoding problem into its context: `'exporters' error reading …`. */
  readonly wrap: (message: string) => string;
}

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export const DECODING_FAILED = 'decoding failed due to the following error(s):\n\n';

/** Each round mends all values that it can; a value needs two at most (null to text, text to list). */
const MAX_ROUNDS = 4;

/** Checks `node` against `schema`. A null node counts as an empty map, as in `debug:` without anything. */
export function decode<T>(schema: z.ZodType<T>, node: ConfigNode, names: DecodeNames): Decoded<T> {
  const mended = new Map<string, unknown>();
  for (let round = 0; ; round++) {
    const input = toInput(node, [], mended);
    const result = schema.safeParse(input);
    if (result.success) return { ok: true, value: result.data };
    const { issues } = result.error;
    const progress =
      round < MAX_ROUNDS && issues.map((issue) => mend(schema, node, issue, mended)).some(Boolean);
    if (!progress) {
      return {
        ok: false,
        problems: issues
          .flatMap((issue) => withinUnion(issue))
          .flatMap((issue) => toProblems(schema, node, input, issue, names)),
      };
    }
  }
}

const keyOf = (path: readonly PropertyKey[]): string => path.map(String).join('\u0000');

/** Marks a value that is left out, so that the default applies. */
const ABSENT = Symbol('absent');

function toInput(
  node: ConfigNode,
  path: readonly PropertyKey[],
  mended: ReadonlyMap<string, unknown>,
): unknown {
  const key = keyOf(path);
  if (mended.has(key)) return mended.get(key);
  if (node.kind === 'scalar') {
    if (path.length === 0 && node.value === null) return {};
    // What an expanded reference says word for word: quotes in a variable belong to the text.
    return typeof node.value === 'string' ? (node.text ?? node.value) : node.value;
  }
  if (node.kind === 'list') return node.items.map((item, index) => toInput(item, [...path, index], mended));
  const pairs: [string, unknown][] = [];
  for (const [name, entry] of node.entries) {
    const value = toInput(entry.node, [...path, name], mended);
    if (value !== ABSENT) pairs.push([name, value]);
  }
  return Object.fromEntries(pairs);
}

/** Applies one of the Collector's conversions to the value that `issue` is about. True when something changed. */
function mend(schema: z.ZodType, root: ConfigNode, issue: $ZodIssue, mended: Map<string, unknown>): boolean {
  const node = nodeAt(root, issue.path);
  const key = keyOf(issue.path);
  if (node === undefined || mended.has(key)) return false;
  const wanted = wantedTypes(issue);
  const put = (value: unknown): boolean => {
    mended.set(key, value);
    return true;
  };
  // The whole is null: an empty map stands for it already.
  if (issue.path.length === 0 && isNull(node)) return false;
  if (node.kind === 'scalar' && node.value === null) {
    if (wanted.has('number') || wanted.has('int')) return put(0);
    if (wanted.has('boolean')) return put(false);
    if (wanted.has('array')) return put([]);
    if (wanted.has('object') || wanted.has('record')) return put({});
    if (wanted.has('string')) return put(isEnum(schemaAt(schema, issue.path)) ? ABSENT : (node.text ?? ''));
    return put(ABSENT);
  }
  if (wanted.has('int') && node.kind === 'scalar' && typeof node.value === 'number') {
    const whole = Math.trunc(node.value);
    return Number.isSafeInteger(whole) && put(whole);
  }
  // Not where a number is right as well (a duration): there the value counts, not how it was written.
  if (wanted.has('string') && !wanted.has('number') && node.text !== undefined) return put(node.text);
  // A text for a list of texts is split at commas; but not for a whole section.
  const text =
    node.kind === 'scalar' && typeof node.value === 'string' ? (node.text ?? node.value) : undefined;
  if (wanted.has('array') && text !== undefined) {
    const element = schemaAt(schema, [...issue.path, 0]);
    if (unwrap(element) instanceof z.ZodString && collectorTypeOf(element) !== COMPONENT_ID) {
      return put(text === '' ? [] : text.split(','));
    }
  }
  return false;
}

/** The problems of the one branch of a union that takes values of this kind; the issue itself when there is none. */
function withinUnion(issue: $ZodIssue): $ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const fitting = issue.errors.filter((branch) => branch.every(({ path }) => path.length > 0));
  const [branch, ...others] = fitting;
  if (branch === undefined || others.length > 0) return [issue];
  return branch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** Types that would have been right, over all branches of a union. */
function wantedTypes(issue: $ZodIssue): Set<string> {
  if (issue.code === 'invalid_type') return new Set([issue.expected]);
  if (issue.code === 'invalid_union') {
    return new Set(
      issue.errors.flatMap((branch) =>
        branch.filter((inner) => inner.path.length === 0).flatMap((inner) => [...wantedTypes(inner)]),
      ),
    );
  }
  if (issue.code === 'invalid_value' && issue.values.some((value) => typeof value === 'string')) {
    return new Set(['enum']);
  }
  return new Set();
}

function toProblems(
  schema: z.ZodType,
  root: ConfigNode,
  input: unknown,
  issue: $ZodIssue,
  names: DecodeNames,
): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const at = schemaAt(schema, issue.path);
    const keys = issue.keys.toSorted();
    const suggestions = keys.flatMap((key) => nearest(key, knownKeys(at)) ?? []);
    return [
      {
        stage: 'decode',
        message: names.wrap(
          inNamedParents(schema, issue.path, unknownKeysSentence(schema, at, issue.path, keys, names)),
        ),
        position: positionOf(root, [...issue.path, keys[0]!]),
        suggestion: suggestions.length === 0 ? undefined : suggestions.join('", "'),
      },
    ];
  }
  const position = positionOf(root, issue.path);
  const sentence = decodingSentence(schema, input, issue);
  if (sentence !== undefined) {
    // What is wrong with a struct as a whole is said where it stands, not inside.
    const message = names.wrap(inNamedParents(schema, issue.path, sentence, issue.path.length - 1));
    return [{ stage: 'decode', message, position }];
  }
  const missing = issue.code === 'invalid_type' && issue.message.startsWith('Invalid input');
  const where = missing ? issue.path.slice(0, -1) : placeOf(issue);
  const message = missing ? `requires a non-empty "${String(issue.path.at(-1))}"` : issue.message;
  const path = [names.path, ...where.map(String)].filter((part) => part !== '').join('::');
  return [{ stage: 'validate', message: path === '' ? message : `${path}: ${message}`, position }];
}

function unknownKeysSentence(
  schema: z.ZodType,
  at: ReturnType<typeof schemaAt>,
  path: readonly PropertyKey[],
  keys: readonly string[],
  names: DecodeNames,
): string {
  const name =
    collectorTypeOf(at) ?? (path.length === 0 ? names.type : dotted(relativeToNamedParent(schema, path)));
  return `'${name}' has invalid keys: ${keys.join(', ')}`;
}

/** Where a Collector reports an issue: `params.at`, relative to what is around its value, says so when it is elsewhere. */
function placeOf(issue: $ZodIssue): readonly PropertyKey[] {
  const at: unknown = issue.code === 'custom' ? issue.params?.at : undefined;
  return Array.isArray(at) ? [...issue.path.slice(0, -1), ...at.map(String)] : issue.path;
}

/** Wraps `sentence` for each named struct on the way to `path`, as nested decoding in the Collector does. */
function inNamedParents(
  schema: z.ZodType,
  path: readonly PropertyKey[],
  sentence: string,
  innermost = path.length,
): string {
  let wrapped = sentence;
  for (let length = innermost; length >= 0; length--) {
    const struct = collectorStructOf(schemaAt(schema, path.slice(0, length)));
    if (struct === undefined || struct.name === COMPONENT_ID) continue;
    if (struct.unmarshals === true) wrapped = `'' ${DECODING_FAILED}${wrapped}`;
    if (length === 0) break;
    // Named relative to the struct around it, like everything inside.
    const parent = relativeToNamedParent(schema, path.slice(0, length));
    wrapped = `'${dotted(parent)}' ${DECODING_FAILED}${wrapped}`;
  }
  return wrapped;
}

/** The sentence for a value that can't be read; undefined when it can be read and is refused. */
function decodingSentence(schema: z.ZodType, input: unknown, issue: $ZodIssue): string | undefined {
  const name = `'${dotted(relativeToNamedParent(schema, issue.path))}'`;
  const value = issue.path.reduce<unknown>(
    (current, step) => (current as Record<PropertyKey, unknown> | undefined)?.[step],
    input,
  );
  switch (issue.code) {
    case 'invalid_type': {
      if (value === undefined) return undefined;
      if (issue.expected === 'array') {
        return `${name} source data must be an array or slice, got ${goKind(value)}`;
      }
      if (issue.expected === 'object' || issue.expected === 'record') {
        const isOptional = collectorStructOf(schemaAt(schema, issue.path))?.optional === true;
        return `${name}${isOptional ? " ''" : ''} expected a map or struct, got "${goKind(value)}"`;
      }
      if (issue.path.length > 0 && collectorTypeOf(schemaAt(schema, issue.path)) === COMPONENT_ID) {
        return `${name} expected a map or struct, got "${goKind(value)}"`;
      }
      return `${name} expected type '${goName(issue.expected, schema, issue.path)}', got unconvertible type '${goType(value)}'`;
    }
    case 'too_small':
    case 'too_big': {
      const format = formatOf(schemaAt(schema, issue.path));
      if (format === undefined || typeof value !== 'number') return undefined;
      const signed = format.startsWith('uint') ? 'uint' : 'int';
      const isRange =
        issue.code === 'too_small' ? format.startsWith('uint') && value < 0 : isTooBig(format, value);
      return isRange ? `${name} cannot parse value as '${format}': ${value} overflows ${signed}` : undefined;
    }
    case 'invalid_union':
      if (isDuration(schemaAt(schema, issue.path))) {
        return `${name} expected type 'time.Duration', got unconvertible type '${goType(value)}'`;
      }
      if (wantedTypes(issue).has('array')) {
        return `${name} source data must be an array or slice, got ${goKind(value)}`;
      }
      return `${name} expected ${[...wantedTypes(issue)].join(' or ')}, got unconvertible type '${goType(value)}'`;
    case 'invalid_value':
      return issue.message.startsWith('Invalid ')
        ? `${name} invalid value ${JSON.stringify(value)} (valid values: [${issue.values.map(String).join(' ')}])`
        : `${name} ${issue.message}`;
    case 'invalid_key':
      return `${name} ${issue.message}`;
    case 'custom':
      return issue.params?.decoding === DECODING_ISSUE.decoding ? `${name} ${issue.message}` : undefined;
    default:
      return undefined;
  }
}

/** Go's name for what zod calls `expected`. */
function goName(expected: string, schema: z.ZodType, path: readonly PropertyKey[]): string {
  switch (expected) {
    case 'boolean':
      return 'bool';
    case 'object':
    case 'record':
      return 'map[string]interface {}';
    case 'int':
    case 'number':
      return formatOf(schemaAt(schema, path)) ?? 'float64';
    default:
      return expected;
  }
}

/** Go's name of the type of an integer field, undefined for others. */
function formatOf(schema: ReturnType<typeof schemaAt>): string | undefined {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodNumber)) return undefined;
  return inner.format === 'safeint' ? 'int' : inner.format === null ? undefined : inner.format;
}

const isTooBig = (format: string, value: number): boolean =>
  value > (format === 'uint32' ? 2 ** 32 - 1 : Number.MAX_SAFE_INTEGER);

const isDuration = (schema: ReturnType<typeof schemaAt>): boolean => {
  const inner = unwrap(schema);
  return inner instanceof z.ZodUnion && inner.meta()?.['x-unit'] === 'duration';
};

/** A text that is one of a few words has no zero value; the default stands. */
const isEnum = (schema: ReturnType<typeof schemaAt>): boolean => {
  const inner = unwrap(schema);
  return inner instanceof z.ZodString && inner.meta()?.enum !== undefined;
};

function relativeToNamedParent(schema: z.ZodType, path: readonly PropertyKey[]): readonly PropertyKey[] {
  for (let length = path.length - 1; length > 0; length--) {
    const name = collectorTypeOf(schemaAt(schema, path.slice(0, length)));
    if (name !== undefined && name !== COMPONENT_ID) return path.slice(length);
  }
  return path;
}

/** `protocols.grpc`, `receivers[0]`. */
function dotted(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}
