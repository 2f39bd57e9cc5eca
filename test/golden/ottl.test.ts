import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filterConfig } from '../../src/processors/filter/config.js';
import { transformConfig } from '../../src/processors/transform/config.js';

interface Case {
  readonly kind: 'condition' | 'statement' | 'flat';
  readonly text: string;
  readonly message: string;
}

const cases = JSON.parse(readFileSync(new URL('./ottl/sentences.json', import.meta.url), 'utf8')) as Case[];

function check({ kind, text }: Case) {
  if (kind === 'condition') return filterConfig().safeParse({ traces: { span: [text] } });
  const statements = kind === 'flat' ? [text] : [{ context: 'span', statements: [text] }];
  return transformConfig().safeParse({ trace_statements: statements });
}

describe('a text that is wrong', () => {
  it.each(cases.map((one) => [one.kind, one.text, one] as const))('%s: %s', (_kind, _text, one) => {
    expect(check(one).error?.issues.map(({ message }) => message)).toEqual([one.message]);
  });
});
