/**
 * Compares Kindling's receivers with those of a real Collector, request by request (test/helpers/receivers), and prints where
 * they differ.
 *
 *     tsx scripts/receiver-parity.ts [group…]            compare with the recorded answers
 *     tsx scripts/receiver-parity.ts --record [group…]   ask the Collector (build/otelcol/reference) and record first
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { zipkinExportCases } from '../test/helpers/receivers/cases/zipkin-export.js';
import { comparableAnswer, RECEIVER_GROUPS } from '../test/helpers/receivers/groups.js';
import { askKindlingReceivers, askZipkinExporter } from '../test/helpers/receivers/kindling.js';
import { askReferenceReceivers, askReferenceZipkinExporter } from '../test/helpers/receivers/reference.js';

const EXPORTER = 'zipkin-export';
const args = process.argv.slice(2);
const wanted = args.filter((arg) => !arg.startsWith('--'));

const record = args.includes('--record');
const goldenOf = (name: string) => new URL(`../test/golden/receivers/${name}.json`, import.meta.url);
const write = (name: string, answers: readonly (readonly [id: string, answer: unknown])[]): void => {
  const lines = answers.map(([id, answer]) => `${JSON.stringify(id)}: ${JSON.stringify(answer)}`);
  writeFileSync(goldenOf(name), `{\n${lines.join(',\n')}\n}\n`);
};

if (wanted.length === 0 || wanted.includes(EXPORTER)) {
  const cases = zipkinExportCases();
  if (record) write(EXPORTER, Object.entries(await askReferenceZipkinExporter(cases)));
  const recorded = JSON.parse(readFileSync(goldenOf(EXPORTER), 'utf8')) as Record<string, unknown>;
  const actual = await askZipkinExporter(cases);
  report(
    EXPORTER,
    cases.map(({ id }) => id),
    recorded,
    actual,
  );
}

for (const [name, make] of Object.entries(RECEIVER_GROUPS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const cases = make();
  if (record) {
    const answers = await askReferenceReceivers(cases);
    write(
      name,
      cases.map((one) => [one.id, comparableAnswer(one, answers[one.id]!)]),
    );
  }
  const recorded = JSON.parse(readFileSync(goldenOf(name), 'utf8')) as Record<string, unknown>;
  const answers = await askKindlingReceivers(cases);
  const actual = Object.fromEntries(cases.map((one) => [one.id, comparableAnswer(one, answers[one.id]!)]));
  report(
    name,
    cases.map(({ id }) => id),
    recorded,
    actual,
  );
}

function report(
  name: string,
  ids: readonly string[],
  recorded: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
): void {
  const different = ids.filter((id) => !isDeepStrictEqual(actual[id], recorded[id]));
  for (const id of different) {
    console.log(
      `${name}: ${id}\n  Collector ${JSON.stringify(recorded[id])}\n  Kindling  ${JSON.stringify(actual[id])}`,
    );
  }
  console.log(`${name}: ${ids.length} cases, ${different.length} different`);
}
