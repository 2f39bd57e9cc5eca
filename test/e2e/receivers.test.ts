/** The recorded answers of test/golden/receivers are what a real Collector says. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { referenceMissing } from '../helpers/parity/reference.js';
import { zipkinExportCases } from '../helpers/receivers/cases/zipkin-export.js';
import { comparableAnswer, RECEIVER_GROUPS } from '../helpers/receivers/groups.js';
import { askReferenceReceivers, askReferenceZipkinExporter } from '../helpers/receivers/reference.js';

const missing = referenceMissing();
if (missing !== undefined) {
  if (process.env.KINDLING_E2E_REFERENCE === '1') throw new Error(missing);
  console.warn(`e2e: the recorded answers of a Collector's receivers are not checked: ${missing}`);
}

describe.skipIf(missing !== undefined)('receivers of a Collector', () => {
  it.each(Object.entries(RECEIVER_GROUPS))(
    'answer %s as recorded',
    { timeout: 120_000 },
    async (group, make) => {
      const cases = make();
      const recorded: unknown = JSON.parse(
        readFileSync(new URL(`../golden/receivers/${group}.json`, import.meta.url), 'utf8'),
      );
      const answers = await askReferenceReceivers(cases);
      expect(
        Object.fromEntries(cases.map((one) => [one.id, comparableAnswer(one, answers[one.id]!)])),
      ).toEqual(recorded);
    },
  );

  it('and its zipkin exporter send what was recorded', { timeout: 60_000 }, async () => {
    const recorded: unknown = JSON.parse(
      readFileSync(new URL('../golden/receivers/zipkin-export.json', import.meta.url), 'utf8'),
    );
    expect(await askReferenceZipkinExporter(zipkinExportCases())).toEqual(recorded);
  });
});
