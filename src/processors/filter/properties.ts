/**
 * The settings that `filter` had before conditions: `spans`, `metrics` and `logs` with `include` and `exclude`.
 * Source of rules and sentences: OpenTelemetry Collector Contrib 0.159, filterprocessor.
 */
import { z } from 'zod';
import { DECODING_ISSUE } from '../../config/fields.js';
import { compileMatch, type Matcher } from '../../match/compile.js';
import { type MatchProperties, matchConfig } from '../../match/config.js';
import type { FilterSignal } from './compile.js';

const attribute = () => z.strictObject({ key: z.string().default(''), value: z.unknown().optional() });
const attributes = (what: string) =>
  z.array(attribute()).default([]).describe(`Attributes of the ${what} that must all be there.`);
const matchType = () => z.string().default('').describe('`strict` (equal) or `regexp` (matches anywhere).');
const texts = (what: string) => z.array(z.string()).default([]).describe(`${what} is one of these.`);
const regexpFields = () =>
  z
    .strictObject({ cacheenabled: z.boolean().default(false), cachemaxnumentries: z.int().default(0) })
    .optional()
    .describe('Accepted; changes nothing.');

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** `INFO`, `warn3`: the number of a severity. */
const severity = () =>
  z.codec(z.string(), z.int(), {
    decode: (text, context) => {
      const match = /^([A-Za-z]+)([2-4])?$/.exec(text);
      const level = LEVELS.indexOf((match?.[1] ?? '').toUpperCase());
      if (text === '' || text.toUpperCase() === 'UNDEFINED') return 0;
      if (match !== null && level >= 0) return level * 4 + Number(match[2] ?? 1);
      const message = `'${text}' is not a valid severity: not a valid severity`;
      context.issues.push({ code: 'custom', message, input: text, params: DECODING_ISSUE });
      return z.NEVER;
    },
    encode: (number) =>
      `${LEVELS[(number - 1) >> 2] ?? ''}${(number - 1) % 4 === 0 ? '' : ((number - 1) % 4) + 1}`,
  });

const metricProperties = () =>
  z.strictObject({
    match_type: matchType(),
    regexp: regexpFields(),
    metric_names: texts('The name of the metric'),
    resource_attributes: attributes('resource'),
  });

const logProperties = () =>
  z.strictObject({
    match_type: matchType(),
    resource_attributes: attributes('resource'),
    record_attributes: attributes('record'),
    severity_texts: texts('The severity text'),
    bodies: texts('The body as text'),
    severity_number: z
      .strictObject({
        min: severity().prefault('').describe('Lowest severity, by name: `WARN`, `ERROR2`.'),
        match_undefined: z.boolean().default(false).describe('Whether records without one match.'),
      })
      .optional(),
  });

type MetricProperties = z.output<ReturnType<typeof metricProperties>>;
type LogProperties = z.output<ReturnType<typeof logProperties>>;

const BOTH = 'What does not match `include`, and what matches `exclude`, goes away. Older than conditions.';

export const spanSettings = () => z.strictObject(matchConfig()).optional().describe(BOTH);
export const metricSettings = () => ({
  include: metricProperties().optional().describe(BOTH),
  exclude: metricProperties().optional().describe(BOTH),
});
export const logSettings = () => ({
  include: logProperties().optional().describe(BOTH),
  exclude: logProperties().optional().describe(BOTH),
});

export interface PropertySettings {
  readonly spans?:
    | { readonly include?: MatchProperties | undefined; readonly exclude?: MatchProperties | undefined }
    | undefined;
  readonly metrics: {
    readonly include?: MetricProperties | undefined;
    readonly exclude?: MetricProperties | undefined;
  };
  readonly logs: {
    readonly include?: LogProperties | undefined;
    readonly exclude?: LogProperties | undefined;
  };
}

/** Which of the settings are there, as the sentence about settings that exclude each other names them. */
export function propertiesIn(settings: PropertySettings, signal: FilterSignal): boolean {
  const { include, exclude } = (signal === 'traces' ? settings.spans : settings[signal]) ?? {};
  return include !== undefined || exclude !== undefined;
}

/** True for items that stay; undefined without such settings. Throws an `Error` with the Collector's sentence. */
export function compileProperties(settings: PropertySettings, signal: FilterSignal): Matcher | undefined {
  if (!propertiesIn(settings, signal)) return undefined;
  if (signal === 'traces') return compileMatch(settings.spans ?? {}, 'span');
  if (signal === 'logs') {
    const { include, exclude } = settings.logs;
    try {
      return keep(include && logMatcher(include), exclude && logMatcher(exclude));
    } catch (error) {
      throw new Error(`failed to build skip matcher: ${(error as Error).message}`);
    }
  }
  const { include, exclude } = settings.metrics;
  return keep(
    include && allOf(metricMatchers(include)),
    // Each on its own: a metric goes away by its name or by its resource.
    exclude && anyOf(metricMatchers(exclude)),
  );
}

const keep =
  (include: Matcher | undefined, exclude: Matcher | undefined): Matcher =>
  (item, resource, scope) =>
    (include === undefined || include(item, resource, scope)) &&
    (exclude === undefined || !exclude(item, resource, scope));

const allOf =
  (matchers: readonly Matcher[]): Matcher =>
  (item, resource, scope) =>
    matchers.every((matches) => matches(item, resource, scope));
const anyOf =
  (matchers: readonly Matcher[]): Matcher =>
  (item, resource, scope) =>
    matchers.some((matches) => matches(item, resource, scope));

const NOTHING = {
  services: [],
  span_names: [],
  span_kinds: [],
  log_bodies: [],
  log_severity_texts: [],
  metric_names: [],
  attributes: [],
  resources: [],
  libraries: [],
} as const;

function metricMatchers({ match_type, metric_names, resource_attributes }: MetricProperties): Matcher[] {
  const base = { ...NOTHING, match_type };
  const matchers: Matcher[] = [];
  if (metric_names.length > 0) {
    matchers.push(compileMatch({ include: properties({ ...base, metric_names }) }, 'metric'));
  }
  if (resource_attributes.length > 0) {
    matchers.push(compileMatch({ include: properties({ ...base, resources: resource_attributes }) }, 'log'));
  }
  return matchers;
}

function logMatcher(log: LogProperties): Matcher {
  const made = properties({
    ...NOTHING,
    match_type: log.match_type,
    resources: log.resource_attributes,
    attributes: log.record_attributes,
    log_severity_texts: log.severity_texts,
    log_bodies: log.bodies,
    ...(log.severity_number === undefined ? {} : { log_severity_number: log.severity_number }),
  });
  return compileMatch({ include: made }, 'log');
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Schema types have mutable lists; ours are never changed. */
const properties = (
  made: {
    readonly [K in keyof MatchProperties]: MatchProperties[K] extends (infer T)[]
      ? readonly T[]
      : MatchProperties[K];
  },
): MatchProperties => structuredClone(made) as Mutable<MatchProperties>;
