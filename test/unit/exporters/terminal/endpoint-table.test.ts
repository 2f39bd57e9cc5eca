import { describe, expect, it } from 'vitest';
import { DurationHistogram } from '../../../../src/exporters/terminal/duration-histogram.js';
import { endpointName, templatePath } from '../../../../src/exporters/terminal/endpoint-name.js';
import { EndpointTable, OVERFLOW_ENDPOINT } from '../../../../src/exporters/terminal/endpoint-table.js';

describe('DurationHistogram', () => {
  it('gives percentiles within 2.2 % over nine decades', () => {
    const histogram = new DurationHistogram();
    const values = Array.from({ length: 3000 }, (_, i) => 2000 * 1.005 ** i).filter((ns) => ns < 2e12);
    for (const ns of values) histogram.record(ns);
    for (const share of [0.01, 0.5, 0.9, 0.95, 0.99]) {
      const exact = values[Math.ceil(share * values.length) - 1] ?? 0;
      expect(Math.abs(histogram.percentile(share) / exact - 1)).toBeLessThan(0.0222);
    }
  });

  it('never leaves the range of what was recorded', () => {
    const histogram = new DurationHistogram();
    expect(histogram.percentile(0.5)).toBe(0);
    histogram.record(121_000_000);
    expect(histogram.percentile(0.5)).toBe(121_000_000);
    histogram.record(0);
    histogram.record(1e15);
    expect(histogram.percentile(0.01)).toBeLessThanOrEqual(1000);
    expect(histogram.percentile(1)).toBeGreaterThan(1e12);
    histogram.clear();
    expect(histogram.percentile(0.5)).toBe(0);
  });
});

describe('endpoint names', () => {
  it.each([
    ['/stock/1007', '/stock/{id}'],
    ['/users/4f9c2b1e-9c1d-4b7a-8f3e-2d1c0b9a8f7e/cart?x=1#y', '/users/{id}/cart'],
    ['/blob/deadbeef01/raw', '/blob/{id}/raw'],
    ['/2024-01-31/report', '/{id}/report'],
    ['/t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9/x', '/t/{id}/x'],
    ['/v1/api/decade', '/v1/api/decade'],
    ['/a/b/c/d/e/f/g/h', '/a/b/c/d/e/f/...'],
    ['/', '/'],
  ])('%s becomes %s', (path, expected) => expect(templatePath(path)).toBe(expected));

  it('prefers the route, then the path, then the name of the span', () => {
    const facts = { route: '/a/:id', method: 'GET', path: '/a/1', spanName: 'GET' };
    expect(endpointName(facts)).toBe('GET /a/:id');
    expect(endpointName({ ...facts, route: '' })).toBe('GET /a/{id}');
    expect(endpointName({ ...facts, route: '', path: '' })).toBe('GET');
  });
});

describe('EndpointTable', () => {
  const request = { service: 's', endpoint: 'GET /', durationNs: 10e6, failed: false, classNs: undefined };

  it('forgets what is older than its window', () => {
    const table = new EndpointTable({ maxEndpoints: 10, windowMs: 60_000 }, 0);
    for (let i = 0; i < 30; i += 1) table.record(request, 1000);
    table.record({ ...request, failed: true, durationNs: 30e6 }, 35_000);
    expect(table.rows(50_000)).toMatchObject([{ count: 31, errors: 1, perSecond: 31 / 50 }]);
    expect(table.rows(70_000)).toMatchObject([{ count: 1, errors: 1, p99Ns: 30e6 }]);
    expect(table.rows(200_000)).toEqual([]);
  });

  it('gives the shares of joined time, largest first', () => {
    const table = new EndpointTable({ maxEndpoints: 10, windowMs: 60_000 }, 0);
    table.record({ ...request, classNs: [2e6, 0, 8e6] }, 0);
    table.record(request, 0);
    expect(table.rows(1000)[0]?.shares).toEqual([
      { timeClass: 'lock', share: 0.8 },
      { timeClass: 'cpu', share: 0.2 },
    ]);
  });

  it('puts endpoints beyond the limit into one row, and loses no request', () => {
    const table = new EndpointTable({ maxEndpoints: 5, windowMs: 60_000 }, 0);
    for (let i = 0; i < 100; i += 1) table.record({ ...request, endpoint: `GET /${i}` }, 0);
    const rows = table.rows(1000);
    expect(rows.length).toBe(6);
    expect(rows.reduce((sum, row) => sum + row.count, 0)).toBe(100);
    expect(rows[0]).toMatchObject({ endpoint: OVERFLOW_ENDPOINT, count: 95 });
  });
});
