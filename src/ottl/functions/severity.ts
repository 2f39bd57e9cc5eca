/** `ParseSeverity`: a level by what a value is or between which numbers it lies. Source: pkg/ottl/ottlfuncs/README.md. */
import type { TypedValue } from '../../otlp/typed-value.js';
import { OttlError, type OttlValue, typeName } from '../values.js';
import type { ConverterDef } from './function.js';

interface Criteria {
  readonly equals: readonly string[];
  readonly range: { readonly min: bigint; readonly max: bigint } | undefined;
}

export const SEVERITY_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  ParseSeverity: {
    parameters: ['target', 'severityMapping'],
    build: (args) => {
      const target = args.value(0);
      const mapping = args.constantMap(1);
      const levels = mapping === undefined ? 'severity mapping must be a literal PMap' : levelsOf(mapping);
      return (context) => {
        // What is wrong with the mapping is told when it is used, as the Collector does.
        if (typeof levels === 'string') throw new OttlError(levels);
        const value = target(context);
        const level = levels.find(([, criteria]) => criteria.some((one) => matches(one, value)));
        if (level !== undefined) return level[0];
        throw new OttlError(
          `could not map log level: no matching log level found for value '${String(value)}'`,
        );
      };
    },
  },
};

type Levels = readonly (readonly [string, readonly Criteria[]])[];

function levelsOf(mapping: ReadonlyMap<string, TypedValue>): Levels | string {
  const levels: [string, Criteria[]][] = [];
  for (const [level, list] of mapping) {
    if (!Array.isArray(list)) return 'severity mapping criteria must be []any';
    const criteria: Criteria[] = [];
    for (const item of list) {
      if (!(item instanceof Map)) return 'severity mapping criteria items must be map[string]any';
      const one = criteriaOf(item);
      if (typeof one === 'string') return `invalid severity mapping criteria: ${one}`;
      criteria.push(one);
    }
    levels.push([level, criteria]);
  }
  return levels;
}

function criteriaOf(map: ReadonlyMap<string, TypedValue>): Criteria | string {
  const equals = map.get('equals') ?? [];
  if (!Array.isArray(equals)) return 'equals must be a list';
  if (!equals.every((one) => typeof one === 'string')) return 'equals values must be strings';
  const range = map.get('range');
  if (range === undefined) return { equals, range: undefined };
  if (typeof range === 'string') {
    const hundreds = /^([2-5])xx$/.exec(range)?.[1];
    if (hundreds === undefined) return `unknown range value: ${range}`;
    return { equals, range: { min: BigInt(hundreds) * 100n, max: BigInt(hundreds) * 100n + 99n } };
  }
  if (!(range instanceof Map)) return 'range must be a map or an http status range string';
  const [min, max] = [range.get('min'), range.get('max')];
  if (min === undefined) return 'range must have a min value';
  if (max === undefined) return 'range must have a max value';
  if (typeof min !== 'bigint') return 'min must be an int64';
  return typeof max === 'bigint' ? { equals, range: { min, max } } : 'max must be an int64';
}

function matches({ equals, range }: Criteria, value: OttlValue): boolean {
  if (typeof value === 'string') return equals.includes(value);
  if (typeof value === 'bigint') return range !== undefined && value >= range.min && value <= range.max;
  const name = value === null ? '<nil>' : typeName(value);
  throw new OttlError(
    `could not map log level: could not evaluate log level of value '${String(value)}': unsupported value type: ${name}`,
  );
}
