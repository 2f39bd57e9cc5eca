/**
 * Receivers against the answers of a real Collector, recorded in receivers/<group>.json. test/e2e/receivers.test.ts checks that
 * the records are what a Collector says.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ReceiverAnswers } from '../helpers/receivers/case.js';
import { zipkinExportCases } from '../helpers/receivers/cases/zipkin-export.js';
import { comparableAnswer, RECEIVER_GROUPS } from '../helpers/receivers/groups.js';
import { askKindlingReceivers, askZipkinExporter } from '../helpers/receivers/kindling.js';

describe.each(Object.entries(RECEIVER_GROUPS))('receiver parity: %s', (group, make) => {
  const cases = make();
  const recorded = JSON.parse(
    readFileSync(new URL(`./receivers/${group}.json`, import.meta.url), 'utf8'),
  ) as ReceiverAnswers;

  it('has an answer for each case', () => {
    expect(Object.keys(recorded).sort()).toEqual(cases.map(({ id }) => id).sort());
  });

  it('is the same', { timeout: 60_000 }, async () => {
    const answers = await askKindlingReceivers(cases);
    const different: Record<string, { readonly collector: unknown; readonly kindling: unknown }> = {};
    for (const one of cases) {
      const kindling = comparableAnswer(one, answers[one.id]!);
      if (!isDeepStrictEqual(kindling, recorded[one.id])) {
        different[one.id] = { collector: recorded[one.id], kindling };
      }
    }
    expect(different).toEqual({});
  });
});

it('exporter parity: zipkin', async () => {
  const recorded: unknown = JSON.parse(
    readFileSync(new URL('./receivers/zipkin-export.json', import.meta.url), 'utf8'),
  );
  expect(await askZipkinExporter(zipkinExportCases())).toEqual(recorded);
});
