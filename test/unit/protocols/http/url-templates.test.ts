import { describe, expect, it } from 'vitest';
import {
  DEFAULT_URL_TEMPLATES,
  type UrlTemplateOptions,
} from '../../../../src/protocols/http/url-template.js';
import { UrlTemplates } from '../../../../src/protocols/http/url-templates.js';

/** Templates of paths of one service that answers `status`. */
function learner(options: Partial<UrlTemplateOptions> = {}) {
  const templates = new UrlTemplates({ ...DEFAULT_URL_TEMPLATES, ...options });
  const of = (path: string, status = 200, service = 'shop') =>
    templates.of(templates.service(service, 'server'), path, status);
  return { templates, of, text: (path: string, status?: number) => of(path, status)?.text };
}

describe('UrlTemplates', () => {
  it.each([
    ['/', '/'],
    ['/orders', '/orders'],
    ['/orders/', '/orders'],
    ['/orders/17/items', '/orders/{id}/items'],
    ['/orders/-3', '/orders/{id}'],
    ['/files/3F2504E0-4F89-11D3-9A0C-0305E82C3301', '/files/{id}'],
    ['/commits/deadbee1', '/commits/{id}'],
    ['/users/ann@example.org', '/users/{id}'],
    ['/users/ann%40example.org', '/users/{id}'],
    ['/days/2026-11-21', '/days/{id}'],
    ['/reset/dGhpcyBpcyBhIHRva2VuMQ', '/reset/{id}'],
    ['/events/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/events/{id}'],
    ['/cart;jsessionid=A1B2C3', '/cart'],
    ['/api/v1/health', '/api/v1/health'],
    ['http://shop.test/orders/17', '/orders/{id}'],
    ['/a/b/c/d/e/f/g/h/i/j', '/a/b/c/d/e/f/g/h/*'],
  ])('%s is %s at first sight', (path, template) => {
    expect(learner().text(path)).toBe(template);
  });

  it('has none for targets that are no paths', () => {
    const { of } = learner();
    expect(of('*')).toBeUndefined();
    expect(of('')).toBeUndefined();
    expect(of('example.org:443')).toBeUndefined();
  });

  it('takes a position with too many words for ids, and forgets what it took them for', () => {
    const { text } = learner({ maxValues: 3 });
    expect(['ann', 'bob', 'cy'].map((name) => text(`/users/${name}/cart`))).toEqual([
      '/users/ann/cart',
      '/users/bob/cart',
      '/users/cy/cart',
    ]);
    expect(text('/users/dan/cart')).toBe('/users/{id}/cart');
    expect(text('/users/ann/cart')).toBe('/users/{id}/cart');
    expect(text('/users')).toBe('/users');
  });

  it('does not learn from answers to what nobody serves', () => {
    const { text, templates } = learner();
    expect(text('/wp-admin/setup', 404)).toBeUndefined();
    expect(text('/orders/17')).toBe('/orders/{id}');
    const { nodes } = templates;
    expect(text('/orders/18', 404)).toBe('/orders/{id}');
    expect(text('/orders/18/x', 405)).toBeUndefined();
    expect(templates.nodes).toBe(nodes);
  });

  it('keeps services apart, and gives one object for one template', () => {
    const { of, templates } = learner({ maxValues: 1 });
    of('/users/ann');
    expect(of('/users/bob')?.text).toBe('/users/{id}');
    expect(of('/users/ann', 200, 'other')?.text).toBe('/users/ann');
    expect(templates.of(templates.service('shop', 'client'), '/users/ann', 200)?.text).toBe('/users/ann');
    expect(of('/users/x')).toBe(of('/users/y'));
  });

  it('stays within its bound for 100,000 different paths of any kind', () => {
    const { of, templates } = learner({ maxTemplates: 100 });
    const byLength = new Map<number, Set<string>>();
    for (let i = 0; i < 100_000; i++) {
      const word = (n: number) => `w${String.fromCharCode(97 + (n % 26), 97 + ((n / 26) % 26))}`;
      const path = [
        `/${word(i)}/${word(i * 7)}/${word(i * 31)}/p${i % 999}`,
        `/u/n-${i.toString(36)}/x`,
        `/o/${i}`,
      ];
      const text = of(path[i % 3]!)!.text;
      const length = text.split('/').length - 1;
      byLength.set(length, (byLength.get(length) ?? new Set()).add(text));
    }
    for (const texts of byLength.values()) expect(texts.size).toBeLessThanOrEqual(200);
    expect(templates.nodes).toBeLessThanOrEqual(400);
    expect(templates.shortened).toBeGreaterThan(0);
    expect(of('/u/anybody/x')?.text).toMatch(/^\/(?:u|\{id\})\/|^\/\*$/);
  });

  it('stays within the memory of all trees for any number of services', () => {
    const { of, templates } = learner();
    for (let service = 0; service < 1000; service++) {
      for (let i = 0; i < 40; i++)
        for (let j = 0; j < 5; j++) of(`/a${i % 9}b/c${j}d/e${i}f`, 200, `s${service}`);
    }
    expect(templates.nodes).toBeLessThanOrEqual(100_000);
    expect(of('/orders/17', 200, 'last')?.text).toMatch(/^\/(?:orders\/\{id\}|\*)$/);
  });

  it('lets rules decide first, and says that theirs are routes', () => {
    const { of } = learner({ rules: ['/users/me', '/users/{name}/cart', '/static/*'], maxValues: 1 });
    expect(of('/users/me')).toEqual({ text: '/users/me', isRoute: true });
    expect(of('/users/ann/cart')).toEqual({ text: '/users/{name}/cart', isRoute: true });
    expect(of('/static/js/app.js')).toEqual({ text: '/static/*', isRoute: true });
    expect(of('/static')).toEqual({ text: '/static', isRoute: false });
    expect(of('/users/me', 404)?.isRoute).toBe(true);
  });

  it('learns nothing where rules alone are asked for', () => {
    const { text, templates } = learner({ mode: 'rules', rules: ['/orders/{id}'] });
    expect(text('/orders/17')).toBe('/orders/{id}');
    expect(text('/carts/17')).toBeUndefined();
    expect(templates.nodes).toBe(0);
  });
});
