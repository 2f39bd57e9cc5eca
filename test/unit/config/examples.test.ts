import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/cli/read-config.js';
import type { ConfigSources } from '../../../src/config/load.js';
import { toPlain } from '../../../src/config/node.js';

const folder = fileURLToPath(new URL('../../../config/', import.meta.url));
/** One is merged over `default.yaml`, and `kindling replay FILE` sets the file of another. */
const sourcesOf = (name: string): ConfigSources => ({
  uris: name === 'otlp.yaml' ? [`${folder}default.yaml`, folder + name] : [folder + name],
  sets: name === 'replay.yaml' ? ['receivers.replay.file=recording'] : [],
});
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

/** Everything that a receiver may listen on, by path. */
function endpointsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'endpoint' && typeof inner === 'string' ? [inner] : endpointsOf(inner),
  );
}

describe('examples in config/', () => {
  it('are all there', () => {
    expect(names).toEqual(
      expect.arrayContaining(['to-collector.yaml', 'to-jaeger.yaml', 'to-tempo-and-prometheus.yaml']),
    );
  });

  it.each(names)('%s is valid and listens on loopback only', async (name) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:14317' };
    const tools = { env, note: () => {} };
    const { root } = await readConfig(sourcesOf(name), tools, { prefixed: false });
    const { receivers } = toPlain(root) as { receivers: unknown };
    for (const endpoint of endpointsOf(receivers)) expect(endpoint).toMatch(/^127\.0\.0\.1:/);
    expect(readFileSync(folder + name, 'utf8')).toMatch(/^#/);
  });
});
