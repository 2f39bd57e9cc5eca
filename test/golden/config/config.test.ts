/**
 * What Kindling says about a configuration against what a Collector said. Every line of the Collector must be among ours;
 * we may say more, since we report all problems at once, and where they are. `differences.json` lists what differs, and why.
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
    const { code, err } = await run(['validate'], one);
    const said = answerOf(code, err, folder);
    let ours: RecordedAnswer = said;
    if (said.ok && one.look !== undefined) {
      const config: unknown = JSON.parse((await run(['print-config', '--format=json'], one)).out);
      ours = { ...said, values: one.look.map((path) => valueAt(config, path)) };
    }
    const theirs = ANSWERS[name]!;
    const known = DIFFERENCES[name];
    if (problemsOf(ours, theirs).length === 0) return;
    if (known === undefined) expect({ said: ours.lines, problems: problemsOf(ours, theirs) }).toEqual([]);
    else if (known.ok !== undefined) expect(problemsOf(ours, { lines: [], ...known, ok: known.ok })).toEqual([]);
  });
});

/** What `ours` lacks to be `expected`. Saying more than that is fine, saying nothing of an error is not. */
function problemsOf(ours: RecordedAnswer, expected: RecordedAnswer): string[] {
  const lines = comparable(ours.lines);
  const problems = comparable(expected.lines).filter((line) => !lines.includes(line));
  if (ours.ok !== expected.ok) problems.push(`accepted: ${ours.ok}`);
  if (!ours.ok && lines.length === 0) problems.push('no sentence');
  if (ours.ok && expected.ok && expected.values !== undefined) {
    const values = JSON.stringify(ours.values?.map(comparableValue));
    if (values !== JSON.stringify(expected.values.map(comparableValue))) problems.push(`values: ${values}`);
  }
  return problems;
}
