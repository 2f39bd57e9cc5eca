import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { converterNames, editorNames } from '../../../src/ottl/functions/registry.js';

it('the README lists the functions that there are', () => {
  const readme = readFileSync(new URL('../../../src/ottl/README.md', import.meta.url), 'utf8');
  const list = (title: string) =>
    (new RegExp(`^${title}: ([\\s\\S]*?)\\.\\n`, 'm').exec(readme)?.[1] ?? '').split(/,\s+/).sort();
  expect(list('Editors')).toEqual(editorNames());
  expect(list('Converters')).toEqual(converterNames());
});
