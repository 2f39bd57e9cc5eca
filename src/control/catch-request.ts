/** Checks what came through the control socket. */
import { z } from 'zod';
import { type CatchRequest, MAX_CATCH_COUNT } from '../observer/triggers/trigger-types.js';

export const MAX_CATCH_MS = 24 * 3600 * 1000;

const requestSchema = z
  .object({
    name: z.string().min(1).max(200).optional(),
    traceId: z
      .string()
      .regex(/^[0-9a-f]{32}$/i, 'not 32 hex digits')
      .transform((id) => id.toLowerCase())
      .optional(),
    count: z.int().min(1).max(MAX_CATCH_COUNT),
    forMs: z.number().min(1).max(MAX_CATCH_MS),
  })
  .refine(({ name, traceId }) => name !== undefined || traceId !== undefined, {
    path: ['name'],
    message: 'a name or a trace id is needed',
  });

/** Throws with what is wrong. */
export function parseCatchRequest(text: string): CatchRequest {
  const parsed = requestSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join('.')}: ${issue?.message}`);
}
