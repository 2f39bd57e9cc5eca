/**
 * Asks a Collector (build/otelcol/otelcol, see scripts/otelcol/build.sh) about every configuration of
 * test/golden/config/cases.ts and writes its answers to test/golden/config/collector.json.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answerOf, type RecordedAnswer, sourcesOf, valueAt } from '../test/golden/config/answers.js';
import { CASES } from '../test/golden/config/cases.js';

const COLLECTOR = fileURLToPath(new URL('../build/otelcol/otelcol', import.meta.url));
const OUT = fileURLToPath(new URL('../test/golden/config/collector.json', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'kindling-answers-'));
const answers: Record<string, RecordedAnswer> = {};
for (const one of CASES) {
  if (answers[one.name] !== undefined) throw new Error(`two cases are called ${JSON.stringify(one.name)}`);
  const args = [...sourcesOf(one, folder), ...(one.args ?? [])];
  const ask = (command: readonly string[]) =>
    spawnSync(COLLECTOR, [...command, ...args], { cwd: folder, env: { ...one.env }, encoding: 'utf8' });
  const { status, stderr } = ask(['validate']);
  const answer = answerOf(status ?? -1, stderr, folder);
  if (answer.ok && one.look !== undefined) {
    const config: unknown = JSON.parse(ask(['print-config', '--format=json']).stdout);
    answers[one.name] = { ...answer, values: one.look.map((path) => valueAt(config, path)) };
  } else answers[one.name] = answer;
}
rmSync(folder, { recursive: true });
writeFileSync(OUT, `${JSON.stringify(answers, null, 1)}\n`);
process.stdout.write(`${CASES.length} answers in ${OUT}\n`);
