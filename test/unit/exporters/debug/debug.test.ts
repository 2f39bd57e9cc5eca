import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../../src/component/errors.js';
import { debugExporter } from '../../../../src/exporters/debug/factory.js';
import { shortText, timeText } from '../../../../src/exporters/debug/go-format.js';
import type { LogFields, Logger } from '../../../../src/telemetry/logger.js';
import { batchOf, rejection, startExporter } from '../../../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../../../helpers/otlp/payload.js';
import { CountingMetrics, NOP_HOST, settingsFor } from '../../../helpers/otlp/receiver-harness.js';

describe('debug exporter', () => {
  it('prints through the log by default and samples by second', async () => {
    const lines: [string, LogFields | undefined][] = [];
    const log = (message: string, fields?: LogFields): void => void lines.push([message, fields]);
    const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
    const metrics = new CountingMetrics();
    let now = 0;
    const config = debugExporter.config().parse({ sampling_initial: 2, sampling_thereafter: 3 });
    const settings = { ...settingsFor('debug', metrics), logger, now: () => now };
    const exporter = debugExporter.create(settings, config, 'traces');
    await exporter.start(NOP_HOST);
    for (let count = 0; count < 8; count++)
      await exporter.consume(batchOf('traces', tracesRequest(count + 1)));
    now = 1000;
    await exporter.consume(batchOf('traces', tracesRequest(50)));
    expect(lines.map(([message, fields]) => [message, fields?.spans])).toEqual([
      ['Traces', 1],
      ['Traces', 2],
      ['Traces', 5],
      ['Traces', 8],
      ['Traces', 50],
    ]);
    expect(metrics.snapshot()).toEqual({
      'received traces': 86,
      'sent traces': 86,
      'batches_not_printed traces': 4,
    });
  });

  it('refuses what is not OTLP and counts it', async () => {
    const { exporter, metrics } = await startExporter(debugExporter, { verbosity: 'detailed' });
    const broken = { ...batchOf('traces', tracesRequest(1)), bytes: Uint8Array.of(0x0a, 0x7f) };
    expect(await rejection(exporter.consume(broken))).toBeInstanceOf(PermanentError);
    expect(metrics.snapshot()).toEqual({ 'received traces': 1, 'dropped traces malformed': 1 });
  });

  it('has the checks of a Collector', () => {
    const messages = (config: object) =>
      debugExporter
        .config()
        .safeParse(config)
        .error?.issues.map(({ message }) => message);
    expect(messages({ output_paths: ['x'] })).toEqual([
      'output_paths is not supported when use_internal_logger is true',
    ]);
    expect(messages({ use_internal_logger: false, output_paths: [] })).toEqual([
      'output_paths must not be empty when use_internal_logger is false',
    ]);
  });
});

describe('numbers and times as Go prints them', () => {
  it.each([
    [0, '0'],
    [1.5, '1.5'],
    [-0.0001, '-0.0001'],
    [0.00001, '1e-05'],
    [100_000, '100000'],
    [1_000_000, '1e+06'],
    [1_234_567, '1.234567e+06'],
    [1e100, '1e+100'],
    ['NaN', 'NaN'],
    ['-Infinity', '-Inf'],
    ['Infinity', '+Inf'],
  ] as const)('%s', (value, text) => {
    expect(shortText(value)).toBe(text);
  });

  it('keeps nanoseconds', () => {
    expect(timeText('1544712660000000001')).toBe('2018-12-13 14:51:00.000000001 +0000 UTC');
    expect(timeText(undefined)).toBe('1970-01-01 00:00:00 +0000 UTC');
    expect(timeText('18446744073709551615')).toBe('1969-12-31 23:59:59.999999999 +0000 UTC');
  });
});
