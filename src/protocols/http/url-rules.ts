/**
 * Templates that a user wrote. `{name}` is any one segment, `*` as the last segment is any rest (at least one segment),
 * everything else is itself.
 */
import { segmentsOf, type UrlTemplate } from './url-template.js';

interface Rule {
  readonly template: UrlTemplate;
  /** undefined: any segment. */
  readonly segments: readonly (string | undefined)[];
  readonly hasRest: boolean;
}

/** What is wrong with a pattern, undefined when nothing is. */
export function rulePatternProblem(pattern: string): string | undefined {
  if (!pattern.startsWith('/')) return 'must begin with "/"';
  if (/[?#\s]/.test(pattern)) return 'must be a path: no query, fragment or space';
  const segments = pattern.split('/');
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i]!;
    if (segment === '*') {
      if (i < segments.length - 1) return '"*" is only allowed as the last segment';
    } else if (/[{}*]/.test(segment) && !isParameter(segment)) {
      return `segment ${JSON.stringify(segment)}: must be a word, "{name}" or "*"`;
    }
  }
  return undefined;
}

export class UrlRules {
  readonly #rules: readonly Rule[];

  /** `patterns`: without problems. */
  constructor(patterns: readonly string[]) {
    this.#rules = patterns.map(compile);
  }

  /** The template of the first rule that fits. */
  find(segments: readonly string[]): UrlTemplate | undefined {
    return this.#rules.find((rule) => fits(rule, segments))?.template;
  }
}

const isParameter = (segment: string): boolean => /^\{[A-Za-z_][\w.:-]*\}$/.test(segment);

function compile(pattern: string): Rule {
  const parts = segmentsOf(pattern);
  const hasRest = parts.at(-1) === '*';
  if (hasRest) parts.pop();
  return {
    template: { text: pattern, isRoute: true },
    segments: parts.map((part) => (isParameter(part) ? undefined : part)),
    hasRest,
  };
}

function fits({ segments, hasRest }: Rule, path: readonly string[]): boolean {
  if (hasRest ? path.length <= segments.length : path.length !== segments.length) return false;
  return segments.every((segment, i) => segment === undefined || segment === path[i]);
}
