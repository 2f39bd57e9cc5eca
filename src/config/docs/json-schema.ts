/** JSON Schema (2020-12) of a configuration file, for editors. */
import { z } from 'zod';
import type { AnyFactory } from '../../component/factory.js';
import { bySection, SECTIONS } from '../factories.js';
import { serviceFields } from '../service.js';

/** The part of JSON Schema that zod writes for settings. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  /** `duration` or `size`: what a text or number means, see `fields.ts`. */
  readonly 'x-unit'?: string;
  readonly [key: string]: unknown;
}

/** What a user may write for `schema`. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest as JsonSchema;
}

/** The whole file: sections, each component by its id, and `service`. */
export function configSchema(factories: readonly AnyFactory[]): JsonSchema {
  const sections = bySection(factories);
  const properties: Record<string, JsonSchema> = {};
  for (const section of SECTIONS) {
    const patterns: Record<string, JsonSchema> = {};
    for (const [name, factory] of sections[section]) {
      patterns[`^${name}(/.+)?$`] = {
        description: factory.description,
        ...(name === factory.type ? {} : { deprecated: true }),
        anyOf: [{ type: 'null' }, inputSchema(factory.config())],
      };
    }
    properties[section] = {
      type: ['object', 'null'],
      patternProperties: patterns,
      additionalProperties: false,
    };
  }
  properties.service = inputSchema(serviceFields());
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Kindling configuration',
    type: 'object',
    properties,
    additionalProperties: false,
  };
}
