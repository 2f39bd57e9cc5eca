/**
 * What Kindling's OTLP exporters make of every answer of a backend, against what a real Collector's made of it, recorded in
 * wire-export/outcomes.json: how often a batch is sent, what is counted, and what is logged.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import { KNOWN_EXPORT_DIFFERENCES } from '../helpers/wire-export/known-differences.js';
import { askKindlingExporters } from '../helpers/wire-export/programs.js';
import type { ExportOutcomes } from '../helpers/wire-export/script.js';
import { exportScripts } from '../helpers/wire-export/scripts.js';

it('does the same, but where the list of known differences says so', { timeout: 60_000 }, async () => {
  const recorded = JSON.parse(
    readFileSync(new URL('./wire-export/outcomes.json', import.meta.url), 'utf8'),
  ) as ExportOutcomes;
  const outcomes = await askKindlingExporters(exportScripts());
  expect(Object.keys(recorded).sort()).toEqual(Object.keys(outcomes).sort());
  const unused = new Set(KNOWN_EXPORT_DIFFERENCES);
  const different: Record<string, { readonly collector: unknown; readonly kindling: unknown }> = {};
  for (const [id, kindling] of Object.entries(outcomes)) {
    if (isDeepStrictEqual(kindling, recorded[id])) continue;
    const known = KNOWN_EXPORT_DIFFERENCES.find((one) => one.id.test(id));
    if (known === undefined) different[id] = { collector: recorded[id], kindling };
    else unused.delete(known);
  }
  expect(different).toEqual({});
  expect([...unused].map(({ id, why }) => `${id}: ${why}`)).toEqual([]);
});
