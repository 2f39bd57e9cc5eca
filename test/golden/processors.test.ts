import { readdirSync, readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { countBatch } from '../../src/otlp/count.js';
import { fromJson } from '../../src/otlp/json-reader.js';
import { toJson } from '../../src/otlp/json-writer.js';
import { mergeBatches } from '../../src/otlp/reshape.js';
import { startPipeline } from '../helpers/pipeline.js';

const ROOT = new URL('./processors/', import.meta.url);
const SIGNALS = { resourceSpans: 'traces', resourceMetrics: 'metrics', resourceLogs: 'logs' } as const;

const folders = (url: URL): string[] =>
  readdirSync(url, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

/** Attributes have no order; a Collector changes it now and then. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)]));
  }
  const items = value.map(sorted);
  const keyOf = (item: unknown) => (item as { key?: unknown } | null)?.key;
  if (!items.every((item) => typeof keyOf(item) === 'string')) return items;
  return items.sort((a, b) => (String(keyOf(a)) < String(keyOf(b)) ? -1 : 1));
}

const CONNECTION = { remoteAddress: '127.0.0.1', remotePort: 1, localAddress: '127.0.0.1', localPort: 2 };

describe.each(folders(ROOT))('processor %s', (type) => {
  const parent = new URL(`${type}/`, ROOT);
  it.each(folders(parent))('%s', async (name) => {
    const read = (file: string) => readFileSync(new URL(`${name}/${file}`, parent), 'utf8');
    const input = read('input.json');
    const [group] = Object.keys(JSON.parse(input) as object) as (keyof typeof SIGNALS)[];
    const signal = SIGNALS[group!];
    const harness = await startPipeline(
      stringify({
        receivers: { in: {} },
        processors: { [type]: parse(read('config.yaml')) as unknown },
        exporters: { out: {} },
        service: {
          pipelines: { [signal]: { receivers: ['in'], processors: [type], exporters: ['out'] } },
        },
      }),
    );
    const bytes = fromJson(signal, input);
    const itemCount = countBatch(signal, bytes);
    const origin = { receiver: 'in', connection: CONNECTION };
    await harness.next(signal).consume({ signal, bytes, itemCount, origin });
    await harness.agent.stop();
    const out = harness.out();
    for (const batch of out) expect(batch.itemCount).toBe(countBatch(signal, batch.bytes));
    const merged = mergeBatches([new Uint8Array(0), ...out.map((batch) => batch.bytes)]);
    expect(sorted(JSON.parse(toJson(signal, merged)))).toEqual(sorted(JSON.parse(read('expected.json'))));
    expect(harness.account(type, 'processor')).toMatchObject({ received: itemCount, unaccounted: 0, held: 0 });
  });
});
