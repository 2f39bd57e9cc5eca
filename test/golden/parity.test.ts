/**
 * Kindling's answers against those of a real Collector, recorded in parity/<group>.json. test/e2e/parity.test.ts checks that
 * the records are what a Collector says.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Comparable, comparable } from '../helpers/parity/compare.js';
import { GROUPS } from '../helpers/parity/groups.js';
import { answerKindling } from '../helpers/parity/kindling.js';
import { KNOWN_DIFFERENCES } from '../helpers/parity/known-differences.js';

describe.each(Object.entries(GROUPS))('parity: %s', (group, make) => {
  const recorded = JSON.parse(
    readFileSync(new URL(`./parity/${group}.json`, import.meta.url), 'utf8'),
  ) as Readonly<Record<string, Comparable>>;
  const known = KNOWN_DIFFERENCES.filter((one) => one.group === group);
  const cases = make();
  const isKnown = (id: string) => known.some((one) => one.id.test(id));

  it('has an answer for each case', () => {
    expect(Object.keys(recorded).sort()).toEqual(cases.map(({ id }) => id).sort());
  });

  it('is the same', { timeout: 120_000 }, async () => {
    const different: Record<string, { readonly collector: unknown; readonly kindling: unknown }> = {};
    for (const one of cases) {
      if (isKnown(one.id)) continue;
      const kindling = comparable(one, await answerKindling(one));
      const collector = recorded[one.id];
      if (!isDeepStrictEqual(kindling, collector)) different[one.id] = { collector, kindling };
    }
    expect(different).toEqual({});
  });

  it('differs where the list of known differences says so', async () => {
    for (const { id, why } of known) {
      const matching = cases.filter((one) => id.test(one.id));
      const answers = await Promise.all(matching.map(answerKindling));
      const isDifferent = matching.some(
        (one, index) => !isDeepStrictEqual(comparable(one, answers[index]!), recorded[one.id]),
      );
      expect(isDifferent, `${id}: ${why}`).toBe(true);
    }
  });
});
