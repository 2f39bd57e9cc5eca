/**
 * Compares Kindling with a real Collector, case by case (test/helpers/parity), and prints where they differ.
 *
 *     tsx scripts/parity.ts [group…]            compare with the recorded answers
 *     tsx scripts/parity.ts --record [group…]   ask the Collector (build/otelcol/reference) and record its answers first
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type Comparable, comparable } from '../test/helpers/parity/compare.js';
import { GROUPS } from '../test/helpers/parity/groups.js';
import { answerKindling } from '../test/helpers/parity/kindling.js';
import { askReference } from '../test/helpers/parity/reference.js';

const args = process.argv.slice(2);
const record = args.includes('--record');
const wanted = args.filter((arg) => !arg.startsWith('--'));

for (const [name, make] of Object.entries(GROUPS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const cases = make();
  const file = new URL(`../test/golden/parity/${name}.json`, import.meta.url);
  if (record) {
    const answers = await askReference(cases);
    const lines = cases.map(
      (one) => `${JSON.stringify(one.id)}: ${JSON.stringify(comparable(one, answers[one.id]!))}`,
    );
    writeFileSync(file, `{\n${lines.join(',\n')}\n}\n`);
  }
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Comparable>;
  let different = 0;
  for (const one of cases) {
    const expected = recorded[one.id]!;
    const actual = comparable(one, await answerKindling(one));
    if (isDeepStrictEqual(actual, expected)) continue;
    different++;
    console.log(
      `${name}: ${one.id}\n  Collector ${JSON.stringify(expected)}\n  Kindling  ${JSON.stringify(actual)}`,
    );
  }
  console.log(`${name}: ${cases.length} cases, ${different} different`);
}
