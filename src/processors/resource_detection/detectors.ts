/**
 * Where attributes of this machine come from.
 * Source of names and rules: OpenTelemetry Collector Contrib 0.159, processor/resourcedetectionprocessor; semantic
 * conventions 1.44 for host, os, container and k8s.
 */
import { parseControlGroups } from '../../observer/process/control-group.js';
import { parseOtelEnvironment } from '../../observer/process/otel-environment.js';
import type { TypedValue } from '../../otlp/typed-value.js';
import type { ResourceDetectionConfig } from './config.js';
import type { Machine } from './machine.js';

export type Attributes = Map<string, TypedValue>;

export interface Detector {
  readonly name: string;
  /** Rejects when what it looks at should be there and is not. */
  readonly detect: (signal: AbortSignal) => Promise<Attributes>;
}

type Wanted = Readonly<Record<string, { readonly enabled: boolean }>>;

/** The detector of that name; the name has been checked. */
export function createDetector(name: string, config: ResourceDetectionConfig, machine: Machine): Detector {
  switch (name) {
    case 'system':
      return { name, detect: (signal) => detectSystem(config, machine, signal) };
    case 'docker':
      return { name, detect: (signal) => detectDocker(config, machine, signal) };
    case 'container':
      return { name, detect: () => detectContainer(config, machine) };
    case 'k8s_api':
    case 'k8snode':
      return { name, detect: async () => detectNode(config, machine) };
    default:
      return { name, detect: async () => detectEnvironment(machine) };
  }
}

/** Those that are asked for; a value that is undefined was not found. */
function chosen(found: Readonly<Record<string, TypedValue | undefined>>, wanted: Wanted): Attributes {
  const attributes: Attributes = new Map();
  for (const [key, value] of Object.entries(found)) {
    if (value !== undefined && wanted[key]?.enabled === true) attributes.set(key, value);
  }
  return attributes;
}

/** OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME of our own environment. Throws when the former is malformed. */
function detectEnvironment({ env }: Machine): Attributes {
  for (const pair of (env.OTEL_RESOURCE_ATTRIBUTES ?? '').split(',')) {
    if (pair.trim() === '') continue;
    if (!/^\s*[^\s=][^=]*=/.test(pair)) throw new Error(`invalid resource format: ${JSON.stringify(pair)}`);
    const [broken] = /%(?![0-9a-f]{2}).{0,2}/i.exec(pair) ?? [];
    if (broken !== undefined) {
      throw new Error(
        `invalid resource format in attribute: ${JSON.stringify(pair)}, err: invalid URL escape ${JSON.stringify(broken)}`,
      );
    }
  }
  const variables = ['OTEL_RESOURCE_ATTRIBUTES', 'OTEL_SERVICE_NAME'].flatMap((name) =>
    env[name] === undefined ? [] : [`${name}=${env[name]}`],
  );
  const { serviceName, resourceAttributes } = parseOtelEnvironment(variables.join('\0'));
  const attributes: Attributes = new Map(Object.entries(resourceAttributes));
  if (serviceName !== undefined) attributes.set('service.name', serviceName);
  return attributes;
}

/** Node's names of processors to those of the semantic conventions. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: 'x86',
  arm: 'arm32',
  ppc64: 'ppc64',
  x86_64: 'amd64',
  aarch64: 'arm64',
};

async function detectSystem(
  { system }: ResourceDetectionConfig,
  machine: Machine,
  signal: AbortSignal,
): Promise<Attributes> {
  const wanted: Wanted = system.resource_attributes;
  const kernel = machine.kernel();
  const interfaces = machine.interfaces();
  const id = wanted['host.id']?.enabled ? await machineId(machine) : undefined;
  const name = wanted['host.name']?.enabled
    ? await hostName(
        system.hostname_sources.length === 0 ? ['dns', 'os'] : system.hostname_sources,
        machine,
        signal,
      )
    : undefined;
  return chosen(
    {
      'host.name': name,
      'os.type': 'linux',
      'host.arch': ARCHITECTURES[machine.arch()] ?? machine.arch(),
      'host.id': id,
      'host.ip': interfaces.map(({ address }) => address),
      // IEEE RA form, as the semantic conventions ask.
      'host.mac': [...new Set(interfaces.map(({ mac }) => mac.toUpperCase().replaceAll(':', '-')))],
      'os.description': kernel.description,
      'os.version': kernel.release,
    },
    wanted,
  );
}

async function hostName(sources: readonly string[], machine: Machine, signal: AbortSignal): Promise<string> {
  for (const source of sources) {
    if (source === 'os') return machine.hostname();
    try {
      return await machine.fullName(signal);
    } catch {
      // The next source may know it.
    }
  }
  throw new Error(`all hostname sources failed to get hostname: ${sources.join(', ')}`);
}

/** machine-id(5). */
async function machineId(machine: Machine): Promise<string | undefined> {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      const id = (await machine.readFile(path)).trim();
      if (id !== '') return id;
    } catch {
      // The next place.
    }
  }
  return undefined;
}

async function detectDocker(
  { docker, fail_on_missing_metadata: isRequired }: ResourceDetectionConfig,
  machine: Machine,
  signal: AbortSignal,
): Promise<Attributes> {
  const path = docker.endpoint.replace(/^unix:\/\//, '');
  let info: unknown;
  try {
    info = await machine.getJson(path, '/info', signal);
  } catch (cause) {
    // No daemon, no attributes: the same settings serve machines with and without one.
    if (isRequired || signal.aborted) {
      throw new Error(`docker metadata unavailable: ${(cause as Error).message}`, { cause });
    }
  }
  const text = (key: string): string | undefined => {
    const value =
      typeof info === 'object' && info !== null ? (info as Record<string, unknown>)[key] : undefined;
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const architecture = text('Architecture');
  return chosen(
    {
      'host.name': text('Name'),
      'os.type': text('OSType'),
      'host.arch': architecture === undefined ? undefined : (ARCHITECTURES[architecture] ?? architecture),
    },
    docker.resource_attributes,
  );
}

/** In a cgroup namespace of its own a process sees `/` only; its mounts still name the container. */
const CONTAINER_MOUNT = /\/(?:containers|overlay-containers|sandboxes)\/([0-9a-f]{64})\//;

async function detectContainer(
  { container }: ResourceDetectionConfig,
  machine: Machine,
): Promise<Attributes> {
  let id: string | undefined;
  try {
    id = parseControlGroups(await machine.readFile('/proc/self/cgroup')).containerId;
    id ??= CONTAINER_MOUNT.exec(await machine.readFile('/proc/self/mountinfo'))?.[1];
  } catch {
    // No procfs: not in a container that we could name.
  }
  return chosen({ 'container.id': id }, container.resource_attributes);
}

function detectNode({ k8s_api: config }: ResourceDetectionConfig, { env }: Machine): Attributes {
  const name = env[config.node_from_env_var];
  if (name === undefined || name === '') {
    throw new Error(
      `can't get k8s node name from the environment variable ${config.node_from_env_var}, please check it is set`,
    );
  }
  return chosen({ 'k8s.node.name': name }, config.resource_attributes);
}
