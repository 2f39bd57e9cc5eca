import { describe, expect, it } from 'vitest';
import { mediaTypeOf } from '../../../src/receiver/otlp/media-type.js';
import { Routes, targetOf } from '../../../src/transport/http-target.js';

describe('targetOf', () => {
  it.each([
    ['/v1/traces', { kind: 'path', path: '/v1/traces' }],
    ['/v1/traces?x=//', { kind: 'path', path: '/v1/traces' }],
    ['/v1/%74races', { kind: 'path', path: '/v1/traces' }],
    ['/v1%2Ftraces', { kind: 'path', path: '/v1%2Ftraces' }],
    ['http://host:1/v1/traces?x', { kind: 'path', path: '/v1/traces' }],
    ['http://host', { kind: 'redirect', location: '/' }],
    ['//v1//traces/?x=1', { kind: 'redirect', location: '/v1/traces/?x=1' }],
    ['/a/../../v1/./traces', { kind: 'redirect', location: '/v1/traces' }],
    ['/a%20b//c', { kind: 'redirect', location: '/a%20b/c' }],
    ['/%zz', { kind: 'malformed' }],
    ['/%ff', { kind: 'malformed' }],
    ['v1/traces', { kind: 'malformed' }],
  ])('reads %s', (url, target) => {
    expect(targetOf(url)).toEqual(target);
  });
});

it('serves trees below a slash', () => {
  const routes = new Routes([
    ['/v1/traces', 1],
    ['/v1/logs/', 2],
  ]);
  expect(
    ['/v1/traces', '/v1/traces/', '/v1/logs', '/v1/logs/', '/v1/logs/x'].map((p) => routes.find(p)),
  ).toEqual([1, undefined, undefined, 2, 2]);
  expect([routes.isTree('/v1/logs'), routes.isTree('/v1/traces')]).toEqual([true, false]);
});

describe('mediaTypeOf', () => {
  it.each([
    ['Application/JSON; charset="a;b"; x=y ;', 'application/json'],
    ['a/b', 'a/b'],
    ['a/b;', 'a/b'],
    ['a/b; c', undefined],
    ['a/b; =c', undefined],
    ['a/b; c="d', undefined],
    ['a', undefined],
    ['a/b, c/d', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %s', (header, type) => {
    expect(mediaTypeOf(header)).toBe(type);
  });
});
