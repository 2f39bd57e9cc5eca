import { z } from 'zod';

const attribute = () => z.strictObject({ key: z.string().default(''), value: z.unknown().optional() });

const matchFields = () =>
  z.strictObject({
    match_type: z.string().default('').describe('`strict` (equal) or `regexp` (matches anywhere).'),
    regexp: z
      .strictObject({
        cacheenabled: z.boolean().default(false),
        cachemaxnumentries: z.int().default(0),
      })
      .optional()
      .describe('Accepted; changes nothing.'),
    services: z.array(z.string()).default([]).describe('`service.name` is one of these. Spans only.'),
    span_names: z.array(z.string()).default([]).describe('The name of the span is one of these.'),
    span_kinds: z
      .array(z.string())
      .default([])
      .describe('The kind of the span is one of these, for example `SPAN_KIND_SERVER`.'),
    log_bodies: z.array(z.string()).default([]).describe('The body as text is one of these.'),
    log_severity_texts: z.array(z.string()).default([]).describe('The severity text is one of these.'),
    log_severity_number: z
      .strictObject({
        min: z.int().default(0).describe('Lowest severity number.'),
        match_undefined: z.boolean().default(false).describe('Whether records without one match.'),
      })
      .optional(),
    metric_names: z.array(z.string()).default([]).describe('The name of the metric is one of these.'),
    attributes: z
      .array(attribute())
      .default([])
      .describe('Attributes that must all be there, with that value where one is given.'),
    resources: z.array(attribute()).default([]).describe('The same for the resource.'),
    libraries: z
      .array(z.strictObject({ name: z.string().default(''), version: z.string().optional() }))
      .default([])
      .describe('Names and versions of instrumentation scopes; all must match.'),
  });

export type MatchProperties = z.output<ReturnType<typeof matchFields>>;

/** `include` and `exclude` as many processors have them. */
export const matchConfig = () => ({
  include: matchFields().optional().describe('Only what matches is processed.'),
  exclude: matchFields().optional().describe('What matches is left alone, also when `include` matches.'),
});

export interface MatchConfig {
  readonly include?: MatchProperties | undefined;
  readonly exclude?: MatchProperties | undefined;
}
