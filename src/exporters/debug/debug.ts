import { createWriteStream, type WriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Exporter, Host, Settings } from '../../component/component.js';
import { PermanentError } from '../../component/errors.js';
import type { Batch, Signal } from '../../component/signal.js';
import { toJson } from '../../otlp/json-writer.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import type { DebugConfig } from './config.js';
import { detailedLogs, detailedMetrics, detailedTraces } from './detailed-text.js';
import { normalLogs, normalMetrics, normalTraces } from './normal-text.js';
import {
  type LogsJson,
  logGroups,
  type MetricsJson,
  metricGroups,
  spanGroups,
  type TracesJson,
} from './otlp-json.js';
import { type ProfilesJson, profileGroups } from './profiles-json.js';
import { detailedProfiles, normalProfiles } from './profiles-text.js';

/** One batch as text: what the first line says, and the lines below it (undefined at `basic`). */
export interface PrintedBatch {
  readonly title: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly text: string | undefined;
}

/** Throws `MalformedError`. */
export function printBatch(
  signal: Signal,
  { bytes, itemCount }: Pick<Batch, 'bytes' | 'itemCount'>,
  verbosity: DebugConfig['verbosity'],
): PrintedBatch {
  const json: unknown = JSON.parse(toJson(signal, bytes));
  const textOf = <J>(normal: (json: J) => string, detailed: (json: J) => string): string | undefined =>
    verbosity === 'basic' ? undefined : verbosity === 'normal' ? normal(json as J) : detailed(json as J);
  switch (signal) {
    case 'traces': {
      const groups = spanGroups(json as TracesJson);
      const counts = { 'resource spans': groups.length, spans: itemCount };
      return { title: 'Traces', counts, text: textOf(normalTraces, detailedTraces) };
    }
    case 'metrics': {
      const groups = metricGroups(json as MetricsJson);
      const metrics = groups.flatMap(({ scopes }) => scopes.flatMap(({ items }) => items)).length;
      const counts = { 'resource metrics': groups.length, metrics, 'data points': itemCount };
      return { title: 'Metrics', counts, text: textOf(normalMetrics, detailedMetrics) };
    }
    case 'logs': {
      const groups = logGroups(json as LogsJson);
      const counts = { 'resource logs': groups.length, 'log records': itemCount };
      return { title: 'Logs', counts, text: textOf(normalLogs, detailedLogs) };
    }
    case 'profiles': {
      const groups = profileGroups(json as ProfilesJson);
      const counts = { 'resource profiles': groups.length, 'sample records': itemCount };
      return { title: 'Profiles', counts, text: textOf(normalProfiles, detailedProfiles) };
    }
  }
}

/** Prints batches, as log lines or to files, in the format of the Collector's `debug` exporter. */
export class DebugExporter implements Exporter {
  readonly #settings: Settings;
  readonly #config: DebugConfig;
  readonly #signal: Signal;
  #files: WriteStream[] = [];
  #second = 0;
  #seenThisSecond = 0;

  constructor(settings: Settings, config: DebugConfig, signal: Signal) {
    this.#settings = settings;
    this.#config = config;
    this.#signal = signal;
  }

  /** Opens the output files; rejects when one can't be opened. */
  async start(host: Host): Promise<void> {
    const paths = this.#config.use_internal_logger ? [] : (this.#config.output_paths ?? ['stdout']);
    for (const path of paths) {
      if (path === 'stdout' || path === 'stderr') continue;
      const file = createWriteStream(path, { flags: 'a' });
      await new Promise<void>((resolve, reject) => file.once('open', () => resolve()).once('error', reject));
      file.on('error', (error) => host.reportFatal(error));
      this.#files.push(file);
    }
  }

  async consume(batch: Batch): Promise<void> {
    const { metrics } = this.#settings;
    metrics.received(this.#signal, batch.itemCount);
    if (this.#isSampled()) await this.#print(this.#textOf(batch));
    else metrics.count('batches_not_printed', 1, { data_type: this.#signal });
    metrics.sent(this.#signal, batch.itemCount);
  }

  async shutdown(_deadline: AbortSignal): Promise<void> {
    const files = this.#files;
    this.#files = [];
    await Promise.all(files.map((file) => new Promise<void>((resolve) => file.end(() => resolve()))));
  }

  #textOf(batch: Batch): PrintedBatch {
    try {
      return printBatch(this.#signal, batch, this.#config.verbosity);
    } catch (error) {
      this.#settings.metrics.dropped(this.#signal, batch.itemCount, 'malformed');
      if (error instanceof MalformedError) throw new PermanentError(error.message, { cause: error });
      throw error;
    }
  }

  /** Resolves when the outputs have taken the text; a slow terminal or disk slows the pipeline, and fills no memory. */
  async #print({ title, counts, text }: PrintedBatch): Promise<void> {
    if (this.#config.use_internal_logger) {
      this.#settings.logger.info(title, counts);
      if (text !== undefined) this.#settings.logger.info(text);
      return;
    }
    const fields = Object.entries(counts).map(([name, count]) => `${JSON.stringify(name)}: ${count}`);
    const printed = `${title}\t{${fields.join(', ')}}\n${text === undefined ? '' : `${text}\n`}`;
    const paths = this.#config.output_paths ?? ['stdout'];
    const outputs: Writable[] = [
      ...this.#files,
      ...(paths.includes('stdout') ? [process.stdout] : []),
      ...(paths.includes('stderr') ? [process.stderr] : []),
    ];
    await Promise.all(
      outputs.map((output) => new Promise<void>((resolve) => output.write(printed, () => resolve()))),
    );
  }

  /** The first of each second, and every n-th after them. */
  #isSampled(): boolean {
    const { sampling_initial: initial, sampling_thereafter: thereafter } = this.#config;
    const second = Math.floor(this.#settings.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#seenThisSecond = 0;
    }
    this.#seenThisSecond += 1;
    if (this.#seenThisSecond <= initial) return true;
    return thereafter > 0 && (this.#seenThisSecond - initial) % thereafter === 0;
  }
}
