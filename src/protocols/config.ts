import { z } from 'zod';
import type { ProtocolOptions } from './options.js';
import { DEFAULT_PROTOCOL_OPTIONS } from './options.js';

/** What users may say about protocols, below `protocols` of the receivers that parse them. `disabled`: unless they do. */
export const protocolsConfig = (disabled: readonly string[] = []) =>
  z
    .strictObject({
      modules: z
        .array(z.string().min(1))
        .default([])
        .describe('JavaScript modules whose default export is a protocol; see src/protocols/README.md.'),
      disabled: z
        .array(z.string().min(1))
        .default([...disabled])
        .describe('Names of protocols not to look for.'),
      query_text: z
        .enum(['sanitised', 'full', 'off'])
        .default('sanitised')
        .describe(
          'What spans show of database statements: literals replaced by `?`, everything, or nothing.',
        ),
      max_open: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(DEFAULT_PROTOCOL_OPTIONS.maxOpen)
        .describe('Most exchanges that may be open on one connection; more are dropped, counted.'),
    })
    .prefault({})
    .describe('How the wire protocols are parsed.');

export type ProtocolsConfig = z.output<ReturnType<typeof protocolsConfig>>;

export const protocolOptions = (
  config: ProtocolsConfig,
  urlQuery: ProtocolOptions['urlQuery'],
): ProtocolOptions => ({
  urlQuery,
  queryText: config.query_text,
  maxOpen: config.max_open,
});
