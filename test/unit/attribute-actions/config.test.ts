import { describe, expect, it } from 'vitest';
import { attributesConfig } from '../../../src/processors/attributes/config.js';

const problems = (...actions: Record<string, unknown>[]) =>
  attributesConfig()
    .safeParse({ actions })
    .error?.issues.map(({ message }) => message) ?? [];

describe('attribute actions', () => {
  it.each([
    [
      { action: 'insert', value: 1 },
      'error creating AttrProc due to missing required field "key" at the 0-th action',
    ],
    [
      { action: 'delete' },
      'error creating AttrProc due to missing required field (at least one of "key" and "pattern" have to be used) at the 0-th action',
    ],
    [
      { key: 'k', action: 'insert' },
      'error with key "k" (0-th action): error creating AttrProc. Either field "value", "from_attribute", "from_context", or "default_value" must be specified',
    ],
    [
      { key: 'k', action: 'upsert', value: 1, from_attribute: 'a' },
      'error with key "k" (0-th action): error creating AttrProc due to multiple value sources being set',
    ],
    [
      { key: 'k', action: 'update', value: 1, pattern: 'x' },
      'error with key "k" (0-th action): error creating AttrProc. Action "update" does not use the "pattern" field. This must not be specified',
    ],
    [
      { key: 'k', action: 'hash', value: 1 },
      'error with key "k" (0-th action): error creating AttrProc. Action "hash" does not use "value" or "from_attribute" field. These must not be specified',
    ],
    [
      { key: 'k', action: 'extract', pattern: '(x' },
      'error with key "k" (0-th action): error creating AttrProc. Field "pattern" has invalid pattern: "(x"',
    ],
    [
      { key: 'k', action: 'extract', pattern: 'x' },
      'error with key "k" (0-th action): error creating AttrProc. Field "pattern" contains no named matcher groups',
    ],
    [
      { key: 'k', action: 'extract', pattern: '(?P<a>x)(y)' },
      'error with key "k" (0-th action): error creating AttrProc. Field "pattern" contains at least one unnamed matcher group',
    ],
    [
      { key: 'k', action: 'convert' },
      'error with key "k" (0-th action): error creating AttrProc due to missing required field "converted_type" for action "convert"',
    ],
    [
      { key: 'k', action: 'convert', converted_type: 'bool' },
      'error with key "k" (0-th action): error creating AttrProc due to invalid value "bool" in field "converted_type" for action "convert"',
    ],
    [
      { key: 'k', action: 'explode' },
      'error with key "k" (0-th action): error creating AttrProc due to unsupported action "explode"',
    ],
  ])('refuses %j', (action, message) => {
    expect(problems(action)).toEqual([message]);
  });

  it('finds every problem', () => {
    const good = { key: 'k', action: 'delete' };
    expect(problems(good, { key: 'a', action: 'x' }, good, { key: 'b', action: 'y' })).toHaveLength(2);
    expect(problems()).toEqual(['missing required field "actions"']);
  });
});
