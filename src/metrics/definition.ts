/** What a metric is, before anything has been measured: the one place of its name, unit and buckets. */

export type MetricKind = 'counter' | 'up_down_counter' | 'gauge' | 'histogram';

export interface MetricDefinition {
  /** As in the semantic conventions, for example `http.server.request.duration`. */
  readonly name: string;
  readonly description: string;
  /** UCUM: `s`, `By`, `{request}`. */
  readonly unit: string;
  readonly kind: MetricKind;
  /** Histograms: upper bounds of the buckets, ascending, inclusive; the last bucket has none. */
  readonly bounds?: readonly number[];
  /** Counters whose values need not be whole. */
  readonly isDouble?: boolean;
}
