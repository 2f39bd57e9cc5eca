/** `url_templates` of the receivers that see HTTP. */
import { z } from 'zod';
import { rulePatternProblem } from './url-rules.js';
import { DEFAULT_URL_TEMPLATES, type UrlTemplateOptions } from './url-template.js';

const MAX_RULES = 1000;

export const urlTemplatesConfig = () =>
  z
    .strictObject({
      mode: z
        .enum(['learned', 'rules', 'off'])
        .default(DEFAULT_URL_TEMPLATES.mode)
        .describe(
          'Templates by the rules and, where none fits, by what was seen; by the rules alone; or none: spans are named by their method.',
        ),
      rules: z
        .array(
          z.string().superRefine((pattern, context) => {
            const problem = rulePatternProblem(pattern);
            if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
          }),
        )
        .max(MAX_RULES)
        .default([])
        .describe(
          'Templates such as `/orders/{id}/items` or `/static/*`: `{name}` is one segment, `*` the rest. The first that fits decides.',
        ),
      max_values: z
        .int()
        .min(1)
        .max(10_000)
        .default(DEFAULT_URL_TEMPLATES.maxValues)
        .describe(
          'Different words at one position of the paths of a service; when there are more, they are ids.',
        ),
      max_templates: z
        .int()
        .min(1)
        .max(10_000)
        .default(DEFAULT_URL_TEMPLATES.maxTemplates)
        .describe('Templates of one length that are learned of a service. Beyond them paths end in `*`.'),
    })
    .prefault({})
    .describe('Names of low cardinality for the paths of HTTP requests: `GET /orders/{id}`.');

export type UrlTemplatesConfig = z.output<ReturnType<typeof urlTemplatesConfig>>;

export const urlTemplateOptions = (config: UrlTemplatesConfig): UrlTemplateOptions => ({
  mode: config.mode,
  rules: config.rules,
  maxValues: config.max_values,
  maxTemplates: config.max_templates,
});
