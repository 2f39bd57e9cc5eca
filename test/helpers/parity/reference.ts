/** The real Collector's answers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ParityAnswers, ParityCase } from './case.js';
import { INPUTS } from './inputs.js';

export const REFERENCE_BINARY = fileURLToPath(new URL('../../../build/otelcol/reference', import.meta.url));

/** Why there is no Collector to compare with; undefined when there is one. */
export const referenceMissing = (): string | undefined =>
  existsSync(REFERENCE_BINARY)
    ? undefined
    : 'build/otelcol/reference is missing; scripts/otelcol/build.sh reference builds it (needs Go)';

/** Runs `cases` on the components of a Collector. `args` come before, for feature gates. */
export async function askReference(cases: readonly ParityCase[]): Promise<ParityAnswers> {
  const child = spawn(REFERENCE_BINARY, ['answer'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdin.end(JSON.stringify({ inputs: INPUTS, cases }));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${REFERENCE_BINARY} answer ended with ${code}`);
  return JSON.parse(output) as ParityAnswers;
}
