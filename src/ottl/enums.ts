/** Names that stand for numbers, as the .proto files spell them. */
import type { ContextName } from './context.js';

const SPAN: Readonly<Record<string, number>> = {
  SPAN_KIND_UNSPECIFIED: 0,
  SPAN_KIND_INTERNAL: 1,
  SPAN_KIND_SERVER: 2,
  SPAN_KIND_CLIENT: 3,
  SPAN_KIND_PRODUCER: 4,
  SPAN_KIND_CONSUMER: 5,
  STATUS_CODE_UNSET: 0,
  STATUS_CODE_OK: 1,
  STATUS_CODE_ERROR: 2,
};

const METRIC: Readonly<Record<string, number>> = {
  AGGREGATION_TEMPORALITY_UNSPECIFIED: 0,
  AGGREGATION_TEMPORALITY_DELTA: 1,
  AGGREGATION_TEMPORALITY_CUMULATIVE: 2,
  METRIC_DATA_TYPE_NONE: 0,
  METRIC_DATA_TYPE_GAUGE: 1,
  METRIC_DATA_TYPE_SUM: 2,
  METRIC_DATA_TYPE_HISTOGRAM: 3,
  METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM: 4,
  METRIC_DATA_TYPE_SUMMARY: 5,
};

const LOG: Readonly<Record<string, number>> = Object.fromEntries([
  ['SEVERITY_NUMBER_UNSPECIFIED', 0],
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((word, level) =>
    [1, 2, 3, 4].map((step) => [`SEVERITY_NUMBER_${word}${step === 1 ? '' : step}`, level * 4 + step]),
  ),
]);

const ENUMS: Readonly<Record<ContextName, Readonly<Record<string, number>>>> = {
  resource: {},
  scope: {},
  span: SPAN,
  spanevent: SPAN,
  metric: METRIC,
  exemplar: { ...METRIC, FLAG_NONE: 0, FLAG_NO_RECORDED_VALUE: 1 },
  datapoint: { ...METRIC, FLAG_NONE: 0, FLAG_NO_RECORDED_VALUE: 1 },
  log: LOG,
};

export const hasEnum = (context: ContextName, symbol: string): boolean =>
  Object.hasOwn(ENUMS[context], symbol);

/** Throws an `Error` with the Collector's sentence for an unknown name. */
export function enumValue(context: ContextName, symbol: string): bigint {
  const table = ENUMS[context];
  if (Object.hasOwn(table, symbol)) return BigInt(table[symbol]!);
  throw new Error(`enum symbol, ${symbol}, not found`);
}
