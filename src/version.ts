import { readFileSync } from 'node:fs';

/** Version of the agent, from package.json, which is one folder above both `src/` and `dist/`. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
