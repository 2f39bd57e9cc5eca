/** The recorded answers of test/golden/parity are what a real Collector says. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { thisMachineCases } from '../helpers/parity/cases/resource-detection.js';
import { comparable } from '../helpers/parity/compare.js';
import { GROUPS } from '../helpers/parity/groups.js';
import { answerKindling } from '../helpers/parity/kindling.js';
import { askReference, referenceMissing } from '../helpers/parity/reference.js';

const missing = referenceMissing();
if (missing !== undefined) {
  if (process.env.KINDLING_E2E_REFERENCE === '1') throw new Error(missing);
  console.warn(`e2e: the recorded answers of a Collector are not checked: ${missing}`);
}

/** What a Collector does in the order of a Go map. */
const RANDOM = /"(rate_limiting|composite)":\{"(max_total_)?spans_per_second":1[,}]|"num_traces":0/;

describe.skipIf(missing !== undefined)('a Collector', () => {
  it.each(Object.entries(GROUPS))('answers %s as recorded', async (group, make) => {
    const cases = make().filter(({ id }) => !RANDOM.test(id));
    const recorded = JSON.parse(
      readFileSync(new URL(`../golden/parity/${group}.json`, import.meta.url), 'utf8'),
    ) as Readonly<Record<string, unknown>>;
    const answers = await askReference(cases);
    const said = Object.fromEntries(cases.map((one) => [one.id, comparable(one, answers[one.id]!)]));
    expect(said).toEqual(Object.fromEntries(cases.map(({ id }) => [id, recorded[id]])));
  });

  it('describes this machine as Kindling does', async () => {
    const cases = thisMachineCases();
    const answers = await askReference(cases);
    for (const one of cases) {
      expect(comparable(one, await answerKindling(one))).toEqual(comparable(one, answers[one.id]!));
    }
  });
});
