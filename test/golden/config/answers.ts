/** What the answers of two programs to one configuration have in common. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigCase } from './cases.js';

export interface RecordedAnswer {
  readonly ok: boolean;
  /** What follows `Error: `, in lines. */
  readonly lines: readonly string[];
  /** The values that the case looks at, when the configuration is good. */
  readonly values?: readonly unknown[];
}

/** Writes the files of a case into `folder` and gives the `--config` arguments for them. */
export function sourcesOf(one: ConfigCase, folder: string): string[] {
  return one.files.map((text, index) => {
    if (text.startsWith('@')) return `--config=${text.slice(1)}`;
    const path = join(folder, `config-${index}.yaml`);
    writeFileSync(path, text);
    return `--config=${path}`;
  });
}

/** An exit code and stderr in comparable form. `folder` is where the files were. */
export function answerOf(code: number, stderr: string, folder: string): RecordedAnswer {
  const lines = stderr.replaceAll(folder, 'FOLDER').split('\n');
  const first = lines.findIndex((line) => line.startsWith('Error: '));
  // The reference program prints its error a second time, with the time before it.
  const second = lines.findIndex((line) => /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /.test(line));
  const shown = first < 0 ? [] : lines.slice(first, second < 0 ? undefined : second);
  return {
    ok: code === 0,
    lines: shown.map((line) => line.replace(/^Error: /, '').trim()).filter((line) => line !== ''),
  };
}

export function valueAt(config: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], config);
}
