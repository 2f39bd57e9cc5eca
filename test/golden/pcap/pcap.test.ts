/**
 * What `kindling replay FILE --json` prints of conversations that real servers and clients had
 * (test/fixtures/pcap/record.sh), without times and ports. UPDATE_GOLDEN=1 rewrites what is expected.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ExchangeJson } from '../../../src/capture/exchange-json.js';
import { dispatch } from '../../../src/main.js';

const CAPTURES = fileURLToPath(new URL('../../fixtures/pcap/', import.meta.url));
const names = readdirSync(CAPTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Different in each recording. */
const VARIABLE = new Set(['server.port', 'network.peer.port']);

function steady(line: string): object {
  const { start, duration_ns, client, server, attributes, ...rest } = JSON.parse(line) as ExchangeJson;
  expect(start).toMatch(/^\d{4}-/);
  expect(duration_ns).toBeGreaterThanOrEqual(0);
  expect(client).not.toBe(server);
  const kept = Object.entries(attributes).filter(([key]) => !VARIABLE.has(key));
  return { ...rest, attributes: Object.fromEntries(kept) };
}

describe.each(names)('a capture of %s', (name) => {
  it('is told as it was', async () => {
    let out = '';
    let summary = '';
    const io = {
      env: {},
      out: (text: string) => {
        out += text;
      },
      err: (text: string) => {
        summary += text;
      },
    };
    expect(await dispatch(['replay', `${CAPTURES}${name}/session.pcap`, '--json'], io), summary).toBe(0);
    const seen = { summary: summary.trim(), exchanges: out.trim().split('\n').map(steady) };
    const golden = fileURLToPath(new URL(`./${name}.json`, import.meta.url));
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, `${JSON.stringify(seen, null, 2)}\n`);
    expect(seen).toEqual(JSON.parse(readFileSync(golden, 'utf8')));
    expect(summary).not.toMatch(/lost|failed|not recognised/);
    // The first one loads the whole program.
  }, 60_000);
});
