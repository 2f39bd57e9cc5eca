/**
 * Writes what can be said about settings from their one declaration: `config/schema.json` (for completion in editors),
 * the table of options in each component's README, the table of components in the project's, `docs/protocols.md`, and
 * the tables of `docs/metrics.md`. `--check` writes nothing and fails when something is out of date.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPONENTS } from '../src/components.js';
import { configSchema } from '../src/config/docs/json-schema.js';
import { toJsonText } from '../src/config/docs/json-text.js';
import { componentReadme, componentsReadme } from '../src/config/docs/readme.js';
import { metricsPage } from '../src/metrics/docs.js';
import { REQUEST_METRICS } from '../src/observer/metrics/request-definitions.js';
import { TCP_METRICS } from '../src/observer/metrics/tcp-definitions.js';
import { protocolsPage } from '../src/protocols/docs.js';
import { PROTOCOLS } from '../src/protocols/list.js';
import { CGROUP_METRICS } from '../src/receiver/host_metrics/scrapers/cgroup.js';
import { CPU_METRICS } from '../src/receiver/host_metrics/scrapers/cpu.js';
import { DISK_METRICS } from '../src/receiver/host_metrics/scrapers/disk.js';
import { MEMORY_METRICS } from '../src/receiver/host_metrics/scrapers/memory.js';
import { NETWORK_METRICS } from '../src/receiver/host_metrics/scrapers/network.js';
import { PROCESS_METRICS } from '../src/receiver/host_metrics/scrapers/process.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const FOLDERS = {
  receiver: 'receiver',
  processor: 'processors',
  exporter: 'exporters',
  connector: 'connectors',
  extension: 'extensions',
} as const;

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

const files = new Map<string, string>();
files.set(join(ROOT, 'config', 'schema.json'), toJsonText(configSchema(COMPONENTS)));
for (const factory of COMPONENTS) {
  const path = join(ROOT, 'src', FOLDERS[factory.kind], factory.type, 'README.md');
  files.set(path, componentReadme(factory, read(path)));
}
const readme = join(ROOT, 'README.md');
const folderOf = (factory: (typeof COMPONENTS)[number]) => `src/${FOLDERS[factory.kind]}/${factory.type}`;
files.set(readme, componentsReadme(COMPONENTS, read(readme) ?? '', folderOf));
files.set(join(ROOT, 'docs', 'protocols.md'), protocolsPage(PROTOCOLS, '1.44'));

const metrics = join(ROOT, 'docs', 'metrics.md');
files.set(
  metrics,
  metricsPage(read(metrics) ?? '', [
    { title: 'Requests', text: ['Receiver `ebpf`.'], metrics: REQUEST_METRICS },
    { title: 'TCP', text: ['Receiver `ebpf`.'], metrics: TCP_METRICS },
    {
      title: 'Host',
      text: ['Receiver `host_metrics`.'],
      metrics: [...CPU_METRICS, ...MEMORY_METRICS, ...DISK_METRICS, ...NETWORK_METRICS, ...CGROUP_METRICS],
    },
    { title: 'Processes', text: ['Receiver `host_metrics`, scraper `process`.'], metrics: PROCESS_METRICS },
  ]),
);

const outdated = [...files].filter(([path, text]) => read(path) !== text);
if (process.argv.includes('--check')) {
  for (const [path] of outdated)
    console.error(`${relative(ROOT, path)} is out of date; run npm run generate`);
  process.exitCode = outdated.length === 0 ? 0 : 1;
} else {
  for (const [path, text] of outdated) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`wrote ${relative(ROOT, path)}`);
  }
}
