import { describe, expect, it } from 'vitest';
import { measurementOptions, metricsConfig } from '../../../src/observer/metrics/config.js';
import { SpanKind } from '../../../src/otlp/span-constants.js';
import { DEFAULT_URL_TEMPLATES, type UrlTemplateOptions } from '../../../src/protocols/http/url-template.js';
import { loadSeeds, stepBytes } from '../../fuzz/protocols/seed.js';
import { lastPoints, totalCount } from '../../helpers/decoded-metrics.js';
import { InlineObserver } from '../../helpers/observer.js';

const request = (path: string, method = 'GET') => `${method} ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`;
const reply = (status = 200) => `HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nok`;

const observer = (options: Partial<UrlTemplateOptions> = {}) =>
  new InlineObserver({
    urlTemplates: { ...DEFAULT_URL_TEMPLATES, ...options },
    metrics: measurementOptions(metricsConfig().parse({}), 'agent', 'localhost', true),
  });

const named = (inline: InlineObserver, kind: number) =>
  inline.spans
    .filter((span) => span.kind === kind)
    .map(({ name, attributes }) => [name, attributes['url.template'], attributes['http.route']]);

describe('templates of paths', () => {
  it('name the spans of both ends; only clients say that they are templates, and nobody guesses a route', () => {
    const inline = observer();
    inline.exchange(1, request('/orders/17?full=1'), reply());
    inline.exchange(2, request('/orders/18', 'BREW'), reply());
    inline.exchange(3, request('/nowhere'), reply(404));
    inline.exchange(4, request('*', 'OPTIONS'), reply());
    inline.observer.flush();
    expect(named(inline, SpanKind.client)).toEqual([
      ['GET /orders/{id}', '/orders/{id}', undefined],
      ['HTTP /orders/{id}', '/orders/{id}', undefined],
      ['GET', undefined, undefined],
      ['OPTIONS', undefined, undefined],
    ]);
    expect(named(inline, SpanKind.server)).toEqual([
      ['GET /orders/{id}', undefined, undefined],
      ['HTTP /orders/{id}', undefined, undefined],
      ['GET', undefined, undefined],
      ['OPTIONS', undefined, undefined],
    ]);
  });

  it('are routes of the server where a rule says so', () => {
    const inline = observer({ mode: 'rules', rules: ['/orders/{order}'] });
    inline.exchange(1, request('/orders/17'), reply());
    inline.exchange(2, request('/carts/17'), reply());
    inline.observer.flush();
    expect(named(inline, SpanKind.server)).toEqual([
      ['GET /orders/{order}', undefined, '/orders/{order}'],
      ['GET', undefined, undefined],
    ]);
    expect(named(inline, SpanKind.client)[0]).toEqual(['GET /orders/{order}', '/orders/{order}', undefined]);
    const routes = lastPoints(inline.metricBatches, 'http.server.request.duration');
    expect(routes.map(({ attributes }) => attributes['http.route'])).toEqual(['/orders/{order}', undefined]);
  });

  it('tell the series of clients apart, on one connection too, and not those of servers', () => {
    const inline = observer();
    const { client, server } = inline.model.connect(['10.0.0.1', 1], ['10.0.0.2', 8080]);
    for (const path of ['/orders/1', '/orders/2', '/carts/3', '/orders/4']) {
      client.send(request(path));
      server.receive(request(path));
      server.send(reply());
      client.receive(reply());
    }
    inline.observer.flush();
    const points = lastPoints(inline.metricBatches, 'http.client.request.duration');
    expect(points.map(({ attributes, count }) => [attributes['url.template'], count])).toEqual([
      ['/orders/{id}', 3n],
      ['/carts/{id}', 1n],
    ]);
    const served = lastPoints(inline.metricBatches, 'http.server.request.duration');
    expect(served).toHaveLength(1);
    expect(totalCount(served)).toBe(4);
  });

  it('are those of HTTP/2 too, and not of gRPC', async () => {
    const inline = observer({ rules: ['/a'] });
    let port = 50_000;
    for (const seed of await loadSeeds('http2')) {
      const { client, server } = inline.model.connect(['10.0.0.1', port++], ['10.0.0.2', 443]);
      for (const step of seed.steps) {
        const [from, to] = step[0] === 'client' ? [client, server] : [server, client];
        from.send(stepBytes(step));
        to.receive(stepBytes(step));
      }
      client.close();
      server.close();
    }
    inline.advance(2000);
    inline.observer.flush();
    const http = inline.spans.filter(({ attributes }) => attributes['http.request.method'] !== undefined);
    expect(http.some(({ name }) => / \//.test(name))).toBe(true);
    for (const { name, kind, attributes } of http) {
      if (kind === SpanKind.client && name.includes(' ')) {
        expect(name).toBe(`${attributes['http.request.method']} ${attributes['url.template']}`);
      }
    }
    const grpc = inline.spans.filter(({ attributes }) => attributes['rpc.system.name'] === 'grpc');
    expect(grpc.length).toBeGreaterThan(0);
    for (const { attributes } of grpc) expect(attributes).not.toHaveProperty('url.template');
  });

  it('are counted, and off when they are to be', () => {
    const inline = observer();
    inline.exchange(1, request('/a/b/c/d/e/f/g/h/i'), reply());
    inline.observer.flush();
    expect(inline.observer.stats()).toMatchObject({ url_templates_held: 16, url_templates_shortened: 2 });
    const off = observer({ mode: 'off' });
    off.exchange(1, request('/orders/17'), reply());
    off.observer.flush();
    expect(off.spans.map(({ name }) => name)).toEqual(['GET', 'GET']);
  });
});
