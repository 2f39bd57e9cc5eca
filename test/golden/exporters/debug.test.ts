import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { debugExporter } from '../../../src/exporters/debug/factory.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { batchOf, startExporter } from '../../helpers/otlp/exporter-harness.js';

const ROOT = new URL('./debug/', import.meta.url);
const cases = readdirSync(ROOT).filter((name) => !name.includes('.')) as ('traces' | 'metrics' | 'logs')[];

describe.each(cases)('debug exporter: %s', (signal) => {
  it.each(['basic', 'normal', 'detailed'])('prints at verbosity %s what a Collector prints', async (verbosity) => {
    const directory = await mkdtemp(join(tmpdir(), 'kindling-debug-'));
    try {
      const output = join(directory, 'out.txt');
      const config = { verbosity, use_internal_logger: false, output_paths: [output] };
      const { exporter, stop } = await startExporter(debugExporter, config, signal);
      const bytes = fromJson(signal, readFileSync(new URL(`${signal}/input.json`, ROOT)));
      await exporter.consume(batchOf(signal, bytes));
      await stop();
      const expected = readFileSync(new URL(`${signal}/expected.${verbosity}.txt`, ROOT), 'utf8');
      expect(await readFile(output, 'utf8')).toBe(expected);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
