/**
 * Compares what the OTLP exporters of Kindling and of a real Collector make of every answer of a backend
 * (test/helpers/wire-export), and prints where they differ.
 *
 *     tsx scripts/wire-export.ts            compare with what is recorded
 *     tsx scripts/wire-export.ts --record   let the Collector (build/otelcol/reference) export and record it first
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { askKindlingExporters, askReferenceExporters } from '../test/helpers/wire-export/programs.js';
import type { ExportOutcomes } from '../test/helpers/wire-export/script.js';
import { exportScripts } from '../test/helpers/wire-export/scripts.js';

const FILE = new URL('../test/golden/wire-export/outcomes.json', import.meta.url);
const scripts = exportScripts();

if (process.argv.includes('--record')) {
  const lines = Object.entries(await askReferenceExporters(scripts)).map(
    ([id, outcome]) => `${JSON.stringify(id)}: ${JSON.stringify(outcome)}`,
  );
  writeFileSync(FILE, `{\n${lines.join(',\n')}\n}\n`);
}

const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as ExportOutcomes;
let different = 0;
for (const [id, outcome] of Object.entries(await askKindlingExporters(scripts))) {
  if (isDeepStrictEqual(outcome, recorded[id])) continue;
  different++;
  console.log(`${id}\n  Collector ${JSON.stringify(recorded[id])}\n  Kindling  ${JSON.stringify(outcome)}`);
}
console.log(`${scripts.length} scripts, ${different} different`);
