/** Checks what came through the control socket. */
import { z } from 'zod';
import { MAX_RECALL_RANGES, type RecallQuestion } from '../observer/recall-types.js';

const LONGEST_NS = 3600e9;

const questionSchema = z.object({
  ranges: z
    .array(
      z.object({
        tid: z.int().min(1),
        from: z.string().regex(/^\d{1,19}$/),
        durationNs: z.number().min(0).max(LONGEST_NS),
      }),
    )
    .max(MAX_RECALL_RANGES),
});

/** Throws with what is wrong. */
export function parseRecallQuestion(text: string): RecallQuestion {
  const parsed = questionSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join('.')}: ${issue?.message}`);
}
