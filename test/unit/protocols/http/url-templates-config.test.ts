import { describe, expect, it } from 'vitest';
import { DEFAULT_URL_TEMPLATES } from '../../../../src/protocols/http/url-template.js';
import {
  urlTemplateOptions,
  urlTemplatesConfig,
} from '../../../../src/protocols/http/url-templates-config.js';

const problemOf = (rule: string) =>
  urlTemplatesConfig().safeParse({ rules: [rule] }).error?.issues[0]?.message;

describe('url_templates', () => {
  it('learns unless told otherwise', () => {
    expect(urlTemplateOptions(urlTemplatesConfig().parse(undefined))).toEqual(DEFAULT_URL_TEMPLATES);
  });

  it.each(['/', '/orders/{id}/items', '/static/*', '/v1.0/{order_id}'])('takes the rule %s', (rule) => {
    expect(problemOf(rule)).toBeUndefined();
  });

  it.each([
    ['orders/{id}', 'must begin with "/"'],
    ['/orders?id={id}', 'must be a path: no query, fragment or space'],
    ['/static/*/x', '"*" is only allowed as the last segment'],
    ['/order-{id}', 'segment "order-{id}": must be a word, "{name}" or "*"'],
    ['/orders/{}', 'segment "{}": must be a word, "{name}" or "*"'],
  ])('says what is wrong with %s', (rule, problem) => {
    expect(problemOf(rule)).toBe(problem);
  });
});
