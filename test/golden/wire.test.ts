/**
 * Kindling's answers on the wire against those of a real Collector, recorded in wire/<group>.json. test/e2e/wire.test.ts
 * checks that the records are what a Collector says.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameAnswer } from '../helpers/wire/compare.js';
import { WIRE_GROUPS } from '../helpers/wire/groups.js';
import { KNOWN_WIRE_DIFFERENCES } from '../helpers/wire/known-differences.js';
import type { WireAnswers } from '../helpers/wire/probe.js';
import { type Probed, startKindling } from '../helpers/wire/programs.js';

let kindling: Probed;
beforeAll(async () => {
  kindling = await startKindling();
});
afterAll(() => kindling.stop());

describe.each(Object.entries(WIRE_GROUPS))('on the wire: %s', (group, make) => {
  const recorded = JSON.parse(
    readFileSync(new URL(`./wire/${group}.json`, import.meta.url), 'utf8'),
  ) as WireAnswers;
  const probes = make();

  it('has an answer for each probe', () => {
    expect(Object.keys(recorded).sort()).toEqual(probes.map(({ id }) => id).sort());
  });

  it('is the same, but where the list of known differences says so', { timeout: 120_000 }, async () => {
    const unused = new Set(KNOWN_WIRE_DIFFERENCES.filter((one) => one.group === group));
    const different: Record<string, { readonly collector: unknown; readonly kindling: unknown }> = {};
    for (const probe of probes) {
      const collector = recorded[probe.id]!;
      const answer = await kindling.ask(probe);
      if (sameAnswer(collector, answer)) continue;
      const known = KNOWN_WIRE_DIFFERENCES.find(
        (one) =>
          one.group === group &&
          one.id.test(probe.id) &&
          (one.collector?.test(JSON.stringify(collector)) ?? true),
      );
      if (known === undefined) different[probe.id] = { collector, kindling: answer };
      else unused.delete(known);
    }
    expect(different).toEqual({});
    expect([...unused].map(({ id, why }) => `${id}: ${why}`)).toEqual([]);
  });
});
