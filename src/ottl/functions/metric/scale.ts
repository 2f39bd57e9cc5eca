/** `scale_metric`: every value of a metric times a factor. Source: transformprocessor README. */
import { truncateToInt64 } from '../../../go/values.js';
import type { MessageNode } from '../../../otlp/message-node.js';
import { DATA_POINT, kindOfMetric } from '../../../otlp/metric-points.js';
import { packDoubles, readDoubles } from '../../../otlp/packed.js';
import { field } from '../../../otlp/wire-reader.js';
import { expectText, OttlError } from '../../values.js';
import type { EditorDef } from '../function.js';
import { AS_DOUBLE, AS_INT, TOTAL, UNIT } from './build.js';

const MIN = field.fixed64(11);
const MAX = field.fixed64(12);
const BOUNDS = field.delimited(7);
const EXEMPLARS = field.delimited(8);
const EXEMPLAR_DOUBLE = field.fixed64(3);
const EXEMPLAR_INT = field.fixed64(6);
const QUANTILES = field.delimited(6);
const QUANTILE_VALUE = field.fixed64(2);

export const SCALE: Readonly<Record<string, EditorDef>> = {
  scale_metric: {
    parameters: ['multiplier', 'unit?'],
    build: (args) => {
      const factor = args.literalDouble(0);
      const unit = args.has(1) ? args.value(1) : undefined;
      return (context) => {
        const metric = context.item!;
        const newUnit = unit === undefined ? undefined : expectText(unit(context));
        const kind = kindOfMetric(metric);
        if (kind === undefined) throw new OttlError("unsupported metric type: 'Empty'");
        if (kind.name === 'exponential_histogram') {
          throw new OttlError("exponential histograms are not supported by the 'scale_metric' function");
        }
        const scale =
          kind.name === 'histogram' ? scaleHistogram : kind.name === 'summary' ? scaleSummary : scaleNumber;
        for (const point of metric.child(kind.tag).children(DATA_POINT)) scale(point, factor);
        if (newUnit !== undefined) metric.setText(UNIT, newUnit);
      };
    },
  },
};

function scaleDouble(node: MessageNode, tag: number, factor: number): void {
  const value = node.double(tag);
  if (value !== undefined) node.setDouble(tag, value * factor);
}

function scaleInt(node: MessageNode, tag: number, factor: number): void {
  if (node.has(tag)) {
    node.setInteger(tag, truncateToInt64(Number(BigInt.asIntN(64, node.uint64(tag))) * factor));
  }
}

function scaleNumber(point: MessageNode, factor: number): void {
  scaleInt(point, AS_INT, factor);
  scaleDouble(point, AS_DOUBLE, factor);
}

function scaleSummary(point: MessageNode, factor: number): void {
  scaleDouble(point, TOTAL, factor);
  for (const quantile of point.children(QUANTILES)) scaleDouble(quantile, QUANTILE_VALUE, factor);
}

function scaleHistogram(point: MessageNode, factor: number): void {
  for (const tag of [TOTAL, MIN, MAX]) scaleDouble(point, tag, factor);
  if (point.has(BOUNDS)) {
    point.setContent(BOUNDS, packDoubles(readDoubles(point.content(BOUNDS)).map((bound) => bound * factor)));
  }
  for (const exemplar of point.children(EXEMPLARS)) {
    scaleInt(exemplar, EXEMPLAR_INT, factor);
    scaleDouble(exemplar, EXEMPLAR_DOUBLE, factor);
  }
}
