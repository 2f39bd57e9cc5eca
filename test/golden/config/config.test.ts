/**
 * What Kindling says about a configuration against what a Collector said. Every line of the Collector must be among ours;
 * we may say more, since we report all problems at once, and where they are. `differences.ts` lists what differs on purpose.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch } from '../../../src/main.js';
import { answerOf, type RecordedAnswer, sourcesOf, valueAt } from './answers.js';
import { CASES, type ConfigCase } from './cases.js';
import { comparable, comparableValue, DIFFERENCES } from './differences.js';

const ANSWERS = JSON.parse(
  readFileSync(new URL('collector.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, RecordedAnswer>>;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kindling-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(command: readonly string[], one: ConfigCase) {
  let out = '';
  let err = '';
  const code = await dispatch([...command, ...sourcesOf(one, folder), ...(one.args ?? [])], {
    env: one.env ?? {},
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

describe('a configuration', () => {
  it('has an answer of a Collector for each case, and no other', () => {
    expect(Object.keys(ANSWERS)).toEqual(CASES.map(({ name }) => name));
    expect(Object.keys(DIFFERENCES).filter((name) => ANSWERS[name] === undefined)).toEqual([]);
  });

  it.each(CASES.map((one) => [one.name, one] as const))('%s', async (name, one) => {
    const answer = ANSWERS[name]!;
    const difference = DIFFERENCES[name];
    const { code, err } = await run(['validate'], one);
    const ours = answerOf(code, err, folder);
    const expected = comparable(difference?.lines ?? answer.lines);
    expect({ ok: ours.ok, missing: expected.filter((line) => !comparable(ours.lines).includes(line)), said: ours.lines }).toEqual({
      ok: difference?.ok ?? answer.ok,
      missing: [],
      said: ours.lines,
    });
    if (!ours.ok) expect(ours.lines).not.toEqual([]);
    if (answer.values === undefined || !ours.ok) return;
    const { out } = await run(['print-config', '--format=json'], one);
    const config: unknown = JSON.parse(out);
    expect(one.look?.map((path) => comparableValue(valueAt(config, path)))).toEqual(
      (difference?.values ?? answer.values).map(comparableValue),
    );
  });
});
