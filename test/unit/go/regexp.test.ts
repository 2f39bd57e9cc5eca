import { describe, expect, it } from 'vitest';
import { GoRegExp } from '../../../src/go/regexp.js';

describe('GoRegExp', () => {
  it.each([
    ['(?i)pass.*', 'X-PASSWORD', true],
    ['(?i)[a-c]x', 'BX', true],
    ['a(?i:b)c', 'aBc', true],
    ['a(?i:b)c', 'aBC', false],
    ['^/api/v\\d+/', '/api/v12/x', true],
    ['a.c', 'a\nc', false],
    ['a.c', 'a\rc', true],
    ['(?s)a.c', 'a\nc', true],
    ['^b$', 'a\nb', false],
    ['(?m)^b$', 'a\nb\nc', true],
    ['\\Aa\\z', 'a', true],
    ['[[:digit:]]+[^[:space:]]', '12 ', true],
    ['^[[:^digit:]]$', 'x', 'unsupported negated class inside a class'],
    ['\\Qa.b\\E', 'a.b', true],
    ['\\Qa.b\\E', 'axb', false],
    ['\\pL\\p{Greek}', 'a\u03b1', true],
    ['^\\PL$', '1', true],
    ['^[\\w.-]+@x\\.io$', 'a-b.c@x.io', true],
    ['user\\-id\\_x\\/', 'user-id_x/', true],
    ['^\\s$', '\u00a0', false],
    ['^[^\\S]$', ' ', true],
    ['{x}', '{x}', true],
    ['a{2,3}?b', 'aaab', true],
    ['^\\x{1F600}\\x41\\101$', '\u{1F600}AA', true],
    ['[]a]', ']', true],
    ['(?P<a>x)|(?<b>y)', 'y', true],
    ['(?=x)', 'x', 'invalid or unsupported Perl syntax: `(?=`'],
    ['(a', '', 'missing closing ): `(a`'],
    ['a)', '', 'unexpected ): `a)`'],
    ['[a', '', 'missing closing ]: `[a`'],
    ['(a)\\1', '', 'invalid escape sequence: `\\1`'],
    ['a**', '', 'invalid nested repetition operator: `**`'],
    ['*a', '', 'missing argument to repetition operator: `*`'],
    ['[b-a]', '', 'invalid character class range: `b-a`'],
    ['a{1001}', '', 'invalid repeat count: `{1001}`'],
    ['\\', '', 'trailing backslash at end of expression: ``'],
  ])('%s on %j: %s', (pattern, text, expected) => {
    if (typeof expected === 'string')
      expect(() => new GoRegExp(pattern)).toThrow(`error parsing regexp: ${expected}`);
    else expect(new GoRegExp(pattern).test(text)).toBe(expected);
  });

  it('replaces with groups by number and by name', () => {
    const pattern = new GoRegExp('(?P<user>\\w+)@(\\w+)');
    const replace = (text: string, template: string) =>
      pattern.replaceAll(text, (groups) => pattern.expand(template, groups));
    expect(replace('a@b, c@d', '$2.${user}$$')).toBe('b.a$, d.c$');
    expect(replace('a@b', '$2x')).toBe('');
    expect(replace('a@b', '${2}x$9')).toBe('bx');
    expect(replace('nothing', 'x')).toBe('nothing');
  });

  it('handles empty matches like Go', () => {
    expect(new GoRegExp('a*').replaceAll('baac', () => '-')).toBe('-b-c-');
    expect(new GoRegExp('x*').replaceAll('abc', () => '-')).toBe('-a-b-c-');
  });

  it('knows its groups', () => {
    const pattern = new GoRegExp('(?P<a>x)(y)?(?:z)');
    expect(pattern.groupNames).toEqual(['', 'a', '']);
    expect(pattern.match('xz')).toEqual(['xz', 'x', '']);
  });
});
