/**
 * Compares Kindling's receivers with those of a real Collector, request by request (test/helpers/receivers), and prints where
 * they differ.
 *
 *     tsx scripts/receiver-parity.ts [group…]            compare with the recorded answers
 *     tsx scripts/receiver-parity.ts --record [group…]   ask the Collector (build/otelcol/reference) and record first
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { ReceiverAnswers } from '../test/helpers/receivers/case.js';
import { comparableAnswer, RECEIVER_GROUPS } from '../test/helpers/receivers/groups.js';
import { askKindlingReceivers } from '../test/helpers/receivers/kindling.js';
import { askReferenceReceivers } from '../test/helpers/receivers/reference.js';

const args = process.argv.slice(2);
const wanted = args.filter((arg) => !arg.startsWith('--'));

for (const [name, make] of Object.entries(RECEIVER_GROUPS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const cases = make();
  const file = new URL(`../test/golden/receivers/${name}.json`, import.meta.url);
  if (args.includes('--record')) {
    const answers = await askReferenceReceivers(cases);
    const lines = cases.map(
      (one) => `${JSON.stringify(one.id)}: ${JSON.stringify(comparableAnswer(one, answers[one.id]!))}`,
    );
    writeFileSync(file, `{\n${lines.join(',\n')}\n}\n`);
  }
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as ReceiverAnswers;
  const actual = await askKindlingReceivers(cases);
  const different = cases.filter((one) => {
    const answer = comparableAnswer(one, actual[one.id]!);
    if (isDeepStrictEqual(answer, recorded[one.id])) return false;
    console.log(
      `${name}: ${one.id}\n  Collector ${JSON.stringify(recorded[one.id])}\n  Kindling  ${JSON.stringify(answer)}`,
    );
    return true;
  });
  console.log(`${name}: ${cases.length} cases, ${different.length} different`);
}
