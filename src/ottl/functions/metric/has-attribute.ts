/** Converters of `filter` that look for an attribute on any data point of a metric. Source: filterprocessor README. */
import { getAttribute } from '../../../otlp/attribute-edit.js';
import { forEachPoint } from '../../../otlp/metric-points.js';
import type { TypedValue } from '../../../otlp/typed-value.js';
import type { OttlContext } from '../../context.js';
import type { ConverterDef } from '../function.js';

export const METRIC_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  HasAttrKeyOnDatapoint: {
    parameters: ['key'],
    build: (args) => {
      const key = args.literalText(0);
      return (context) => hasPoint(context, key, () => true);
    },
  },
  HasAttrOnDatapoint: {
    parameters: ['key', 'expectedVal'],
    build: (args) => {
      const key = args.literalText(0);
      const wanted = args.literalText(1);
      // What is no text counts as an empty one.
      return (context) =>
        hasPoint(context, key, (value) => (typeof value === 'string' ? value : '') === wanted);
    },
  },
};

function hasPoint({ item }: OttlContext, key: string, matches: (value: TypedValue) => boolean): boolean {
  let found = false;
  forEachPoint(item!, (point, kind) => {
    const value = found ? undefined : getAttribute(point, kind.attributes, key);
    found ||= value !== undefined && matches(value);
  });
  return found;
}
