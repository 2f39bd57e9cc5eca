/** Starts what is probed: Kindling in this process, or a real Collector beside it. */
import { COMPONENTS } from '../../../src/components.js';
import { checkConfig } from '../../../src/config/check.js';
import { FeatureGates, PROFILES } from '../../../src/config/feature-gates.js';
import { loadConfig } from '../../../src/config/load.js';
import { formatProblems } from '../../../src/config/problem.js';
import { Agent } from '../../../src/pipeline/agent.js';
import { NOP_LOGGER } from '../../../src/telemetry/logger.js';
import { MetricsRegistry } from '../../../src/telemetry/registry.js';
import { freePorts, startCollector } from '../otlp/collector.js';
import { REFERENCE_BINARY } from '../parity/reference.js';
import { ask } from './ask.js';
import { Backend } from './backend.js';
import type { ServerName, WireAnswer, WireProbe } from './probe.js';
import { type PortsByServer, SERVER_NAMES, yamlOf } from './servers.js';

export interface Probed {
  ask(probe: WireProbe): Promise<WireAnswer>;
  stop(): Promise<void>;
}

type Start = (yaml: string) => Promise<() => Promise<void>>;

async function probed(start: Start): Promise<Probed> {
  const backend = new Backend();
  const ports = await serverPorts();
  const stop = await start(yamlOf(ports, await backend.start()));
  return {
    ask: (probe) => ask(probe, ports, backend),
    stop: async () => {
      await stop();
      await backend.stop();
    },
  };
}

async function serverPorts(): Promise<PortsByServer> {
  const ports = await freePorts(2 * SERVER_NAMES.length);
  const pairs = SERVER_NAMES.map((name, index) => [
    name,
    { grpc: ports[2 * index]!, http: ports[2 * index + 1]! },
  ]);
  return Object.fromEntries(pairs) as Record<ServerName, { grpc: number; http: number }>;
}

export const startKindling = (): Promise<Probed> =>
  probed(async (yaml) => {
    const root = await loadConfig({ uris: [`yaml:${yaml}`] }, { env: {}, note: () => {} });
    const gates = new FeatureGates();
    gates.apply(PROFILES);
    const checked = checkConfig(root, COMPONENTS, gates);
    if (!checked.ok) throw new Error(formatProblems(checked.problems, { prefixed: true }));
    const agent = new Agent({
      logger: NOP_LOGGER,
      registry: new MetricsRegistry(),
      shutdownTimeoutMs: 2000,
      version: 'test',
      onStopRequest: () => {},
    });
    await agent.start(checked.config);
    return () => agent.stop();
  });

export const startReference = (): Promise<Probed> =>
  probed(async (yaml) => {
    const collector = await startCollector(yaml, {
      binary: REFERENCE_BINARY,
      args: ['--feature-gates=service.profilesSupport'],
    });
    return collector.stop;
  });
