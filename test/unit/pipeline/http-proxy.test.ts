import { describe, expect, it } from 'vitest';
import { proxyFromEnvironment, proxyFromUrl } from '../../../src/pipeline/http-proxy.js';

const PROXY = 'http://proxy.test:3128';
const isProxied = (target: string, noProxy: string): boolean =>
  proxyFromEnvironment(new URL(target), { HTTP_PROXY: PROXY, HTTPS_PROXY: PROXY, NO_PROXY: noProxy }) !==
  undefined;

describe('proxyFromEnvironment', () => {
  it('takes the variable of the scheme, capitals first, http:// when it has no scheme', () => {
    const environment = {
      HTTP_PROXY: 'plain.test:1',
      http_proxy: 'small.test:1',
      https_proxy: 'http://tls.test:2',
    };
    expect(proxyFromEnvironment(new URL('http://a.test'), environment)?.url.href).toBe(
      'http://plain.test:1/',
    );
    expect(proxyFromEnvironment(new URL('https://a.test'), environment)?.url.href).toBe('http://tls.test:2/');
    expect(proxyFromEnvironment(new URL('https://a.test'), { HTTP_PROXY: PROXY })).toBeUndefined();
    expect(proxyFromEnvironment(new URL('http://a.test'), { ALL_PROXY: PROXY })).toBeUndefined();
  });

  it.each([
    'http://localhost:4318',
    'http://127.0.0.1',
    'http://127.9.8.7:1',
    'https://[::1]:4318',
  ])('never proxies loopback: %s', (target) => {
    expect(isProxied(target, '')).toBe(false);
  });

  it.each([
    ['http://a.test', '*'],
    ['http://a.test', 'b.test, a.test'],
    ['http://x.a.test', 'a.test'],
    ['http://x.a.test', '.a.test'],
    ['http://x.a.test', '*.A.test'],
    ['http://a.test', 'a.test:80'],
    ['https://a.test', 'a.test:443'],
    ['http://10.9.8.7', '10.0.0.0/8'],
    ['http://[fd00::1]', 'fd00::/8'],
    ['http://10.9.8.7', '10.9.8.7'],
    ['http://10.9.8.7:81', '10.9.8.7:81'],
    ['http://[fd00::1]:81', '[fd00:0::1]:81'],
    ['http://[fd00::1]', 'fd00::1'],
  ])('goes to %s directly with NO_PROXY=%s', (target, noProxy) => {
    expect(isProxied(target, noProxy)).toBe(false);
  });

  it.each([
    ['http://a.test', ''],
    ['http://a.test', ' , ,'],
    ['http://a.test', '.a.test'],
    ['http://ba.test', 'a.test'],
    ['http://a.test:81', 'a.test:80'],
    ['http://11.9.8.7', '10.0.0.0/8'],
    ['http://10.9.8.7', '10.0.0.0/99'],
    ['http://a.test', '10.0.0.0/8'],
    ['http://10.9.8.7:82', '10.9.8.7:81'],
    ['http://[fe00::1]', 'fd00::/8'],
  ])('goes to %s through the proxy with NO_PROXY=%s', (target, noProxy) => {
    expect(isProxied(target, noProxy)).toBe(true);
  });
});

describe('proxyFromUrl', () => {
  it('makes a header of user and password', () => {
    const { headers } = proxyFromUrl('http://us%40er:p%3Aw@proxy.test');
    expect(headers).toEqual({
      'proxy-authorization': `Basic ${Buffer.from('us@er:p:w').toString('base64')}`,
    });
    expect(proxyFromUrl(PROXY).headers).toEqual({});
  });

  it.each(['::', 'proxy', 'http://'])('refuses %s', (text) => {
    expect(() => proxyFromUrl(text)).toThrow(`invalid proxy URL: "${text}"`);
  });

  it.each([
    'http://me:s3cr#et@proxy.test',
    'http://me:s3cr%et@proxy.test',
    'me:s3cr@',
  ])('refuses %s without telling the password', (text) => {
    expect(() => proxyFromUrl(text)).toThrow(/^(?=.*\[REDACTED\]@)(?!.*s3cr)/);
  });

  it('refuses what is not HTTP', () => {
    expect(() => proxyFromUrl('socks5://proxy.test:1080')).toThrow('unsupported proxy scheme "socks5"');
  });
});
