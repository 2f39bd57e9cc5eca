import { z } from 'zod';
import { opaque } from '../../config/fields.js';

/** Settings of `basicauth`; names and sentences are the Collector's. */
export const basicAuthConfig = () =>
  z
    .strictObject({
      htpasswd: z
        .strictObject({
          file: z.string().default('').describe('File with a `user:password` on each line, read at start.'),
          inline: opaque().optional().describe('The same as text; wins over the file for a user in both.'),
        })
        .optional()
        .describe(
          'Who may send. Passwords are plain or hashed: `{SHA}`, `{SSHA}`, `$apr1$` (MD5). bcrypt is not supported.',
        ),
      client_auth: z
        .strictObject({
          username: z.string().default('').describe('Whom to be.'),
          password: opaque().optional().describe('The password.'),
          username_file: z.string().default('').describe('File with the name; wins over `username`.'),
          password_file: z.string().default('').describe('File with the password; wins over `password`.'),
        })
        .optional()
        .describe('What an exporter shows to its server.'),
    })
    .superRefine(({ htpasswd, client_auth }, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (htpasswd !== undefined && client_auth !== undefined) {
        fail('only one of `htpasswd` and `client_auth` can be specified');
      } else if (htpasswd === undefined && client_auth === undefined) fail('no credential source provided');
      if (htpasswd !== undefined && htpasswd.file === '' && htpasswd.inline === undefined) {
        fail('no credential source provided');
      }
    });

export type BasicAuthConfig = z.output<ReturnType<typeof basicAuthConfig>>;
