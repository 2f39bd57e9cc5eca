import { z } from 'zod';
import { opaque } from '../../config/fields.js';

/** Settings of `bearertokenauth`; names, defaults and sentences are the Collector's. */
export const bearerTokenAuthConfig = () =>
  z
    .strictObject({
      header: z.string().default('Authorization').describe('Header that carries the token.'),
      scheme: z.string().default('Bearer').describe('Word before the token. Empty: the token alone.'),
      token: opaque().optional().describe('The token.'),
      tokens: z
        .array(opaque())
        .default([])
        .describe('Several tokens: a server accepts each, a client sends the first.'),
      filename: z
        .string()
        .default('')
        .describe(
          'File with one token on each line, in place of the above. It is read again when it changes.',
        ),
    })
    .superRefine(({ token, tokens, filename }, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (token === undefined && tokens.length === 0 && filename === '') fail('no bearer token provided');
      if (token !== undefined && tokens.length > 0)
        fail('either tokens or token should be provided, not both');
    });

export type BearerTokenAuthConfig = z.output<ReturnType<typeof bearerTokenAuthConfig>>;
