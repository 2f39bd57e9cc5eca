import { beforeEach, describe, expect, it } from 'vitest';
import { CookieJar } from '../../../src/pipeline/cookie-jar.js';

let nowMs = 0;
let jar: CookieJar;
const url = new URL('http://a.example.test/v1/traces');
const sent = (...headers: string[]): string | undefined => {
  jar.store(headers, url);
  return jar.headerFor(url);
};

beforeEach(() => {
  nowMs = Date.parse('2030-01-01T00:00:00Z');
  jar = new CookieJar(() => nowMs);
});

describe('CookieJar', () => {
  it('sends all it has, the newest value of each name', () => {
    expect(sent('a=1', 'b="x=y"; HttpOnly', 'a=2')).toBe('b="x=y"; a=2');
  });

  it.each([
    ['Max-Age=10', 10_000],
    ['Expires=Tue, 01 Jan 2030 00:00:10 GMT', 10_000],
    ['Max-Age=20; Expires=Tue, 01 Jan 2030 00:00:10 GMT', 20_000],
  ])('forgets after %s', (attribute, lifeMs) => {
    expect(sent(`a=1; ${attribute}`)).toBe('a=1');
    nowMs += lifeMs - 1;
    expect(jar.headerFor(url)).toBe('a=1');
    nowMs += 1;
    expect(jar.headerFor(url)).toBeUndefined();
  });

  it('deletes what the server takes back', () => {
    expect(sent('a=1', 'b=1')).toBe('a=1; b=1');
    expect(sent('a=; Max-Age=0', 'b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT')).toBeUndefined();
  });

  it.each([
    'a',
    '=1',
    'a=1; Domain=other.test',
    'a=1; Path=/v2',
    'a=1; Path=/v1/tr',
    'a=1; Secure',
    `a=${'x'.repeat(5000)}`,
  ])('does not send %.40s', (header) => {
    expect(sent(header)).toBeUndefined();
  });

  it.each([
    'a=1; Domain=.Example.Test',
    'a=1; Path=/v1',
    'a=1; Path=/',
    'a=1; Path=relative',
    'a=1; Max-Age=soon',
  ])('sends %s', (header) => {
    expect(sent(header)).toBe('a=1');
  });

  it('sends secure cookies over TLS', () => {
    jar.store(['a=1; Secure'], url);
    expect(jar.headerFor(new URL('https://a.example.test/v1/traces'))).toBe('a=1');
  });

  it('holds fifty, and lets the oldest go', () => {
    const names = (sent(...Array.from({ length: 60 }, (_, index) => `c${index}=1`)) ?? '').split('; ');
    expect(names).toHaveLength(50);
    expect(names[0]).toBe('c10=1');
  });
});
