/**
 * OTLP/JSON as senders spell it (`input.json`), and how it leaves again through protobuf (`expected.json`). The folder's
 * name is signal, hyphen, case. `UPDATE_GOLDEN=1` rewrites the expectations; review the difference.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import type { SignalName } from '../../../src/otlp/messages.js';
import { validate } from '../../../src/otlp/validate.js';

const cases = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());

test('there is a case for each signal', () => {
  expect(new Set(cases.map((entry) => entry.name.split('-')[0]))).toEqual(
    new Set(['traces', 'metrics', 'logs', 'profiles']),
  );
});

test.each(cases.map((entry) => entry.name))('%s', (name) => {
  const folder = `${import.meta.dirname}/${name}`;
  const signal = name.split('-')[0] as SignalName;
  const bytes = fromJson(signal, readFileSync(`${folder}/input.json`));
  const json = toJson(signal, bytes);
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(`${folder}/expected.json`, `${JSON.stringify(JSON.parse(json), undefined, 2)}\n`);
  }
  expect(JSON.parse(json)).toEqual(JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')));
  expect(validate(signal, bytes)).toBeGreaterThan(0);
  // Once written canonically it does not change any more.
  expect(toJson(signal, fromJson(signal, json))).toBe(json);
});
