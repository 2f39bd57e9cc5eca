/** The recorded answers of test/golden/wire are what a real Collector says. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { referenceMissing } from '../helpers/parity/reference.js';
import { WIRE_GROUPS } from '../helpers/wire/groups.js';
import type { WireAnswers } from '../helpers/wire/probe.js';
import { type Probed, startReference } from '../helpers/wire/programs.js';
import { askReferenceExporters } from '../helpers/wire-export/programs.js';
import type { ExportOutcomes } from '../helpers/wire-export/script.js';
import { exportScripts } from '../helpers/wire-export/scripts.js';

const missing = referenceMissing();
if (missing !== undefined) {
  if (process.env.KINDLING_E2E_REFERENCE === '1') throw new Error(missing);
  console.warn(`e2e: the recorded answers of a Collector on the wire are not checked: ${missing}`);
}

/** What depends on which of two goroutines is faster. */
const RANDOM = /grpc-timeout/;

describe.skipIf(missing !== undefined)('a Collector', () => {
  let reference: Probed;
  beforeAll(async () => {
    reference = await startReference();
  });
  afterAll(() => reference.stop());

  it.each(Object.entries(WIRE_GROUPS))('answers %s as recorded', async (group, make) => {
    const recorded = JSON.parse(
      readFileSync(new URL(`../golden/wire/${group}.json`, import.meta.url), 'utf8'),
    ) as WireAnswers;
    const said: Record<string, unknown> = {};
    const probes = make().filter(({ id }) => !RANDOM.test(id));
    for (const probe of probes) said[probe.id] = await reference.ask(probe);
    expect(said).toEqual(Object.fromEntries(probes.map(({ id }) => [id, recorded[id]])));
  });

  it('exports as recorded', async () => {
    const recorded = JSON.parse(
      readFileSync(new URL('../golden/wire-export/outcomes.json', import.meta.url), 'utf8'),
    ) as ExportOutcomes;
    const said = await askReferenceExporters(exportScripts());
    const decided = (outcomes: ExportOutcomes) =>
      Object.fromEntries(
        Object.entries(outcomes).map(([id, { sent, failed, logs }]) => [
          id,
          // Which step a connection fails at, and how long ago a date was, is another story each time.
          { sent, failed, logs: /silence|GOAWAY|reset$|Fri/.test(id) ? [] : logs },
        ]),
      );
    expect(decided(said)).toEqual(decided(recorded));
  });
});
