/** All functions by name, and the contexts that have them. */
import type { ContextName } from '../context.js';
import { CHECK_CONVERTERS } from './check-converters.js';
import { CSV_CONVERTERS } from './csv.js';
import { EDITORS } from './editors.js';
import type { ConverterDef, EditorDef } from './function.js';
import { LIST_CONVERTERS } from './list-converters.js';
import { AGGREGATIONS } from './metric/aggregate.js';
import { BUCKETS } from './metric/buckets.js';
import { DATAPOINT_CONVERSIONS, METRIC_CONVERSIONS } from './metric/convert.js';
import { EXPLICIT } from './metric/explicit.js';
import { METRIC_EXTRACTIONS } from './metric/extract.js';
import { METRIC_CONVERTERS } from './metric/has-attribute.js';
import { PERCENTILE } from './metric/percentile.js';
import { SCALE } from './metric/scale.js';
import { NETWORK_CONVERTERS } from './network-converters.js';
import { PARSE_CONVERTERS } from './parse-converters.js';
import { SEMCONV_EDITORS } from './semconv-span-name.js';
import { SEVERITY_CONVERTERS } from './severity.js';
import { TEXT_CONVERTERS } from './text-converters.js';
import { TEXT_EDITORS } from './text-editors.js';
import { TIME_CONVERTERS } from './time-converters.js';
import { TYPE_CONVERTERS } from './type-converters.js';

type Editors = Readonly<Record<string, EditorDef>>;

const ALL_EDITORS: Editors = { ...EDITORS, ...TEXT_EDITORS };
const ALL_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  ...TYPE_CONVERTERS,
  ...TEXT_CONVERTERS,
  ...PARSE_CONVERTERS,
  ...TIME_CONVERTERS,
  ...CHECK_CONVERTERS,
  ...LIST_CONVERTERS,
  ...NETWORK_CONVERTERS,
  ...SEVERITY_CONVERTERS,
  ...CSV_CONVERTERS,
};

/** Editors that only one context has. */
const OWN_EDITORS: Readonly<Partial<Record<ContextName, Editors>>> = {
  span: SEMCONV_EDITORS,
  metric: {
    ...METRIC_CONVERSIONS,
    ...METRIC_EXTRACTIONS,
    ...PERCENTILE,
    ...SCALE,
    ...EXPLICIT,
    ...AGGREGATIONS,
  },
  datapoint: { ...DATAPOINT_CONVERSIONS, ...BUCKETS },
};

/** Undefined for an unknown name, or one that this context does not have. */
export function editorNamed(name: string, context: ContextName): EditorDef | undefined {
  const own = OWN_EDITORS[context] ?? {};
  if (Object.hasOwn(own, name)) return own[name];
  return Object.hasOwn(ALL_EDITORS, name) ? ALL_EDITORS[name] : undefined;
}

/** Undefined for an unknown name, or one that this context does not have. */
export function converterNamed(name: string, context: ContextName): ConverterDef | undefined {
  if (name === 'IsRootSpan' && context !== 'span' && context !== 'spanevent') return undefined;
  if (context === 'metric' && Object.hasOwn(METRIC_CONVERTERS, name)) return METRIC_CONVERTERS[name];
  return Object.hasOwn(ALL_CONVERTERS, name) ? ALL_CONVERTERS[name] : undefined;
}

export const hasFunction = (name: string, context: ContextName): boolean =>
  editorNamed(name, context) !== undefined || converterNamed(name, context) !== undefined;

export const editorNames = (): string[] =>
  [ALL_EDITORS, ...Object.values(OWN_EDITORS)].flatMap((editors) => Object.keys(editors)).sort();
export const converterNames = (): string[] =>
  [...Object.keys(ALL_CONVERTERS), ...Object.keys(METRIC_CONVERTERS)].sort();
