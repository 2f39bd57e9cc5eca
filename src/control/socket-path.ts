/** Where a running agent takes questions of this machine's commands. */
import { join } from 'node:path';

const NAME = 'control.sock';

/** `KINDLING_CONTROL`, else /run/kindling for root, the user's runtime directory for others. */
export function controlSocketPath(
  env: Readonly<Record<string, string | undefined>>,
  isRoot: boolean,
): string {
  const named = env.KINDLING_CONTROL;
  if (named !== undefined && named !== '') return named;
  if (isRoot) return join('/run/kindling', NAME);
  const runtime = env.XDG_RUNTIME_DIR;
  return runtime === undefined || runtime === '' ? join('.kindling', NAME) : join(runtime, 'kindling', NAME);
}

export const isRoot = (): boolean => process.getuid?.() === 0;
