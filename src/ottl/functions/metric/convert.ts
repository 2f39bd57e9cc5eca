/** Editors that make a metric one of another kind, or a second metric out of it. Source: transformprocessor README. */
import { setAttribute } from '../../../otlp/attribute-edit.js';
import { MessageNode } from '../../../otlp/message-node.js';
import { DATA_POINT, kindOfMetric } from '../../../otlp/metric-points.js';
import { field } from '../../../otlp/wire-reader.js';
import { expectText } from '../../values.js';
import type { EditorDef } from '../function.js';
import {
  AS_DOUBLE,
  AS_INT,
  appendMetric,
  COUNT,
  DESCRIPTION,
  GAUGE,
  metricLike,
  NAME,
  numberPointLike,
  SUM,
  setData,
  TOTAL,
  temporalityNamed,
  UNIT,
} from './build.js';

const QUANTILES = field.delimited(6);
const QUANTILE = field.fixed64(1);
const VALUE = field.fixed64(2);
const NUMBER_ATTRIBUTES = field.delimited(7);

/** A metric per summary, with one number per data point. */
const fromSummary = (
  defaultSuffix: string,
  value: (point: MessageNode, made: MessageNode) => void,
): EditorDef => ({
  parameters: ['aggregation_temporality', 'monotonic', 'suffix?'],
  build: (args) => {
    const temporality = temporalityNamed(args.literalText(0));
    const isMonotonic = args.literalBool(1);
    const suffix = args.literalText(2, defaultSuffix);
    return (context) => {
      const metric = context.item!;
      const kind = kindOfMetric(metric);
      if (kind?.name !== 'summary') return;
      const made = metricLike(metric, metric.text(NAME) + suffix);
      const points = metric.child(kind.tag).children(DATA_POINT);
      setData(
        made,
        SUM,
        points.map((point) => {
          const number = numberPointLike(point, kind);
          value(point, number);
          return number;
        }),
        { temporality, isMonotonic },
      );
      appendMetric(context, made);
    };
  },
});

export const DATAPOINT_CONVERSIONS: Readonly<Record<string, EditorDef>> = {
  convert_summary_count_val_to_sum: fromSummary('_count', (point, number) =>
    number.setInteger(AS_INT, point.uint64(COUNT)),
  ),
  convert_summary_sum_val_to_sum: fromSummary('_sum', (point, number) =>
    number.setDouble(AS_DOUBLE, point.double(TOTAL) ?? 0),
  ),
};

export const METRIC_CONVERSIONS: Readonly<Record<string, EditorDef>> = {
  convert_sum_to_gauge: {
    parameters: [],
    build:
      () =>
      ({ item }) => {
        if (kindOfMetric(item!)?.name !== 'sum') return;
        const points = item!.child(SUM).children(DATA_POINT);
        item!.remove(SUM);
        setData(item!, GAUGE, points);
      },
  },
  convert_gauge_to_sum: {
    parameters: ['aggregation_temporality', 'monotonic'],
    build: (args) => {
      const temporality = temporalityNamed(args.literalText(0));
      const isMonotonic = args.literalBool(1);
      return ({ item }) => {
        if (kindOfMetric(item!)?.name !== 'gauge') return;
        const points = item!.child(GAUGE).children(DATA_POINT);
        item!.remove(GAUGE);
        setData(item!, SUM, points, { temporality, isMonotonic });
      };
    },
  },
  convert_summary_quantile_val_to_gauge: {
    parameters: ['attribute_key?', 'suffix?'],
    build: (args) => {
      const key = args.literalText(0, 'quantile');
      const suffix = args.literalText(1, '.quantiles');
      return (context) => {
        const metric = context.item!;
        const kind = kindOfMetric(metric);
        if (kind?.name !== 'summary') return;
        const made = metricLike(metric, metric.text(NAME) + suffix);
        const points = metric
          .child(kind.tag)
          .children(DATA_POINT)
          .flatMap((point) =>
            point.children(QUANTILES).map((quantile) => {
              const number = numberPointLike(point, kind);
              setAttribute(number, NUMBER_ATTRIBUTES, key, quantile.double(QUANTILE) ?? 0);
              number.setDouble(AS_DOUBLE, quantile.double(VALUE) ?? 0);
              return number;
            }),
          );
        setData(made, GAUGE, points);
        appendMetric(context, made);
      };
    },
  },
  copy_metric: {
    parameters: ['name?', 'description?', 'unit?'],
    build: (args) => {
      const tags = [NAME, DESCRIPTION, UNIT];
      const texts = tags.map((tag, at) => ({ tag, text: args.has(at) ? args.value(at) : undefined }));
      return (context) => {
        const copy = new MessageNode(context.item!.encode());
        for (const { tag, text } of texts) {
          if (text !== undefined) copy.setText(tag, expectText(text(context)));
        }
        appendMetric(context, copy);
      };
    },
  },
};
