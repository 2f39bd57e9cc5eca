/** Editors that make a sum of what histograms and summaries count. Source: transformprocessor README. */
import type { MessageNode } from '../../../otlp/message-node.js';
import { DATA_POINT, kindOfMetric, type MetricKind } from '../../../otlp/metric-points.js';
import { OttlError } from '../../values.js';
import type { EditorDef } from '../function.js';
import {
  AS_DOUBLE,
  AS_INT,
  appendMetric,
  COUNT,
  metricLike,
  NAME,
  numberPointLike,
  SUM,
  setData,
  TEMPORALITY,
  TOTAL,
} from './build.js';

/** Names as Go prints them. */
const KIND_WORDS: Readonly<Record<MetricKind['name'], string>> = {
  gauge: 'Gauge',
  sum: 'Sum',
  histogram: 'Histogram',
  exponential_histogram: 'ExponentialHistogram',
  summary: 'Summary',
};

const CUMULATIVE = 2n;

/** `take` sets the value of `number` by `point`, or says that the point has none. */
const extract = (
  name: string,
  defaultSuffix: string,
  unit: string | undefined,
  take: (point: MessageNode, number: MessageNode, kind: MetricKind) => boolean,
): EditorDef => ({
  parameters: ['monotonic', 'suffix?'],
  build: (args) => {
    const isMonotonic = args.literalBool(0);
    const suffix = args.literalText(1, defaultSuffix);
    return (context) => {
      const metric = context.item!;
      const kind = kindOfMetric(metric);
      const temporality = temporalityOf(metric, kind);
      if (kind === undefined || temporality === 0n) {
        const word = kind === undefined ? 'Empty' : KIND_WORDS[kind.name];
        throw new OttlError(
          `${name} requires an input metric of type Histogram, ExponentialHistogram or Summary, got ${word}`,
        );
      }
      const points = metric
        .child(kind.tag)
        .children(DATA_POINT)
        .flatMap((point) => {
          const number = numberPointLike(point, kind);
          return take(point, number, kind) ? [number] : [];
        });
      if (points.length === 0) return;
      const made = metricLike(metric, metric.text(NAME) + suffix, unit);
      setData(made, SUM, points, { temporality, isMonotonic });
      appendMetric(context, made);
    };
  },
});

/** 0 for kinds that nothing can be extracted from. A summary is cumulative by its nature. */
function temporalityOf(metric: MessageNode, kind: MetricKind | undefined): bigint {
  if (kind?.name === 'summary') return CUMULATIVE;
  if (kind?.name !== 'histogram' && kind?.name !== 'exponential_histogram') return 0n;
  return BigInt(metric.child(kind.tag).uint32(TEMPORALITY));
}

export const METRIC_EXTRACTIONS: Readonly<Record<string, EditorDef>> = {
  extract_sum_metric: extract('extract_sum_metric', '_sum', undefined, (point, number, kind) => {
    const sum = point.double(TOTAL);
    if (sum === undefined && kind.name !== 'summary') return false;
    number.setDouble(AS_DOUBLE, sum ?? 0);
    return true;
  }),
  extract_count_metric: extract('extract_count_metric', '_count', '1', (point, number) => {
    number.setInteger(AS_INT, point.uint64(COUNT));
    return true;
  }),
};
