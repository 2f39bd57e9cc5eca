import { z } from 'zod';

/** Settings of `control`. */
export const controlConfig = () =>
  z.strictObject({
    path: z
      .string()
      .default('')
      .describe(
        'Unix socket to listen on. Empty: KINDLING_CONTROL, else /run/kindling/control.sock for root and the runtime directory of other users.',
      ),
  });

export type ControlConfig = z.output<ReturnType<typeof controlConfig>>;
