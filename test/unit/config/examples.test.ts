import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
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

describe('configurations in deploy/', () => {
  const at = (path: string): string => fileURLToPath(new URL(`../../../deploy/${path}`, import.meta.url));
  const env = { POD_IP: '10.0.0.1', K8S_NODE_NAME: 'node' };
  const read = (uris: string[]) =>
    readConfig({ uris, sets: [] }, { env, note: () => {} }, { prefixed: false });

  it.each([
    ['the image', ['docker/config.yaml']],
    ['the package', ['debian/config.yaml']],
    ['compose', ['docker/config.yaml', 'compose/kindling.yaml']],
  ])('of %s are valid', async (_, paths) => {
    await expect(read(paths.map(at))).resolves.toBeDefined();
  });

  it('of the manifests are valid', async () => {
    const documents = parseAllDocuments(readFileSync(at('kubernetes/kindling.yaml'), 'utf8'));
    const objects = documents.map((document) => document.toJS());
    const { data } = objects.find(({ kind }) => kind === 'ConfigMap');
    await expect(read([`yaml:${data['config.yaml']}`])).resolves.toBeDefined();
  });

  it('of the manifests give the rights that deploy/README.md explains, and no others', () => {
    const documents = parseAllDocuments(readFileSync(at('kubernetes/kindling.yaml'), 'utf8'));
    const objects = documents.map((document) => document.toJS());
    const { spec } = objects.find(({ kind }) => kind === 'DaemonSet').spec.template;
    const { capabilities, privileged } = spec.containers[0].securityContext;
    expect([privileged, spec.automountServiceAccountToken, capabilities.drop]).toEqual([
      false,
      false,
      ['ALL'],
    ]);
    const unit = readFileSync(at('systemd/kindling.service'), 'utf8');
    const granted = /^AmbientCapabilities=(.*)$/m.exec(unit)![1]!.split(' ');
    expect(capabilities.add.map((name: string) => `CAP_${name}`).sort()).toEqual(granted.sort());
    const explained = readFileSync(at('README.md'), 'utf8');
    for (const name of granted) expect(explained).toContain(name);
  });
});
