import { describe, expect, it } from 'vitest';
import { decodeSpans } from '../../../../src/otlp/decode.js';
import { resourceDetectionConfig } from '../../../../src/processors/resource_detection/config.js';
import type { Machine } from '../../../../src/processors/resource_detection/machine.js';
import { ResourceDetection } from '../../../../src/processors/resource_detection/resource-detection.js';
import { testSettings } from '../../../helpers/batches.js';
import { batchOf } from '../../../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../../../helpers/otlp/payload.js';
import { Sink } from '../../../helpers/otlp/receiver-harness.js';

const CONTAINER = 'a1'.repeat(32);

const machine = (parts: Partial<Machine> = {}): Machine => ({
  env: {},
  hostname: () => 'node-1',
  fullName: async () => 'node-1.example',
  arch: () => 'x64',
  kernel: () => ({ release: '6.18.0', description: '#1 SMP' }),
  interfaces: () => [{ address: '10.0.0.7', mac: '02:00:aa:bb:cc:dd' }],
  readFile: async (path) => {
    throw new Error(`no ${path}`);
  },
  getJson: async () => ({}),
  ...parts,
});

/** Attributes of the resource of a span after detection; it had `service.name: shop`. */
async function detect(config: Record<string, unknown>, parts: Partial<Machine> = {}) {
  const sink = new Sink();
  const settings = testSettings({ kind: 'processor', id: 'resource_detection' });
  const parsed = resourceDetectionConfig().parse({ retry: { enabled: false }, ...config });
  const processor = new ResourceDetection(settings, parsed, sink, machine(parts));
  await processor.start();
  await processor.consume(batchOf('traces', tracesRequest(1)));
  await processor.shutdown();
  return decodeSpans(sink.batches[0]!.bytes)[0]!.resource.attributes;
}

describe('resource_detection', () => {
  it('env: takes the variables of OpenTelemetry', async () => {
    const env = { OTEL_RESOURCE_ATTRIBUTES: 'team=a%20b,service.name=other', OTEL_SERVICE_NAME: 'agent' };
    expect(await detect({}, { env })).toEqual({ 'service.name': 'agent', team: 'a b' });
    expect(await detect({ override: false }, { env })).toEqual({ 'service.name': 'shop', team: 'a b' });
  });

  it('system: name and type, and more when asked', async () => {
    const config = { detectors: ['system'] };
    expect(await detect(config)).toMatchObject({ 'host.name': 'node-1.example', 'os.type': 'linux' });
    const system = {
      hostname_sources: ['os'],
      resource_attributes: {
        'os.type': { enabled: false },
        'host.arch': { enabled: true },
        'host.id': { enabled: true },
        'host.ip': { enabled: true },
        'host.mac': { enabled: true },
      },
    };
    const readFile = async (path: string) => {
      if (path !== '/var/lib/dbus/machine-id') throw new Error('none');
      return 'f00d\n';
    };
    expect(await detect({ ...config, system }, { readFile })).toEqual({
      'service.name': 'shop',
      'host.name': 'node-1',
      'host.arch': 'amd64',
      'host.id': 'f00d',
      'host.ip': ['10.0.0.7'],
      'host.mac': ['02-00-AA-BB-CC-DD'],
    });
  });

  it('system: takes the next source when one fails, and does not start when all do', async () => {
    const fullName = async () => {
      throw new Error('no DNS');
    };
    expect(await detect({ detectors: ['system'] }, { fullName })).toMatchObject({ 'host.name': 'node-1' });
    const system = { hostname_sources: ['dns'] };
    await expect(detect({ detectors: ['system'], system }, { fullName })).rejects.toThrow(
      'failed to detect resource: all hostname sources failed to get hostname: dns',
    );
  });

  it('docker: asks the daemon', async () => {
    const asked: string[] = [];
    const getJson = async (socket: string, path: string) => {
      asked.push(`${socket} ${path}`);
      return { Name: 'dock', OSType: 'linux', Architecture: 'x86_64' };
    };
    const docker = { resource_attributes: { 'host.arch': { enabled: true } } };
    expect(await detect({ detectors: ['docker'], docker }, { getJson })).toMatchObject({
      'host.name': 'dock',
      'os.type': 'linux',
      'host.arch': 'amd64',
    });
    expect(asked).toEqual(['/var/run/docker.sock /info']);
  });

  it.each([
    ['/proc/self/cgroup', `0::/kubepods/burstable/pod1/${CONTAINER}\n`],
    ['/proc/self/mountinfo', `1 2 0:1 /var/lib/docker/containers/${CONTAINER}/hostname /etc/hostname rw\n`],
  ])('container: finds its id in %s', async (where, content) => {
    const readFile = async (path: string) => (path === where ? content : '0::/\n');
    expect(await detect({ detectors: ['container'] }, { readFile })).toMatchObject({
      'container.id': CONTAINER,
    });
  });

  it('k8s_api: takes the name of the node from the environment', async () => {
    const config = { detectors: ['k8snode'], k8s_api: { node_from_env_var: 'NODE' } };
    expect(await detect(config, { env: { NODE: 'n7' } })).toMatchObject({ 'k8s.node.name': 'n7' });
    await expect(detect(config)).rejects.toThrow('from the environment variable NODE');
  });

  it('the first detector that knows an attribute wins', async () => {
    const env = { OTEL_RESOURCE_ATTRIBUTES: 'host.name=mine' };
    expect(await detect({ detectors: ['env', 'system'] }, { env })).toMatchObject({
      'host.name': 'mine',
      'os.type': 'linux',
    });
  });

  it('gives up on a detector that takes too long, and tells it', async () => {
    let aborted = false;
    const getJson = (_socket: string, _path: string, signal: AbortSignal) =>
      new Promise<unknown>(() => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
      });
    await expect(detect({ detectors: ['docker'], timeout: '1ms' }, { getJson })).rejects.toThrow(
      'detector "docker" took longer than 1 ms',
    );
    expect(aborted).toBe(true);
  });

  it('does not start when told that something must be found', async () => {
    await expect(detect({ fail_on_missing_metadata: true })).rejects.toThrow('detector "env" found nothing');
  });

  it('keeps what it knows when a refresh fails, and passes batches that say it all as they are', async () => {
    const env: Record<string, string> = { NODE: 'n7' };
    const sink = new Sink();
    const settings = testSettings({ kind: 'processor', id: 'resource_detection' });
    const config = resourceDetectionConfig().parse({
      retry: { enabled: false },
      detectors: ['k8s_api'],
      k8s_api: { node_from_env_var: 'NODE' },
    });
    const processor = new ResourceDetection(settings, config, sink, machine({ env }));
    await processor.start();
    delete env.NODE;
    await processor.refresh();
    expect(settings.logger.messages('warn')).toEqual(['resource refresh failed']);
    await processor.consume(batchOf('traces', tracesRequest(1)));
    const described = sink.batches[0]!;
    expect(decodeSpans(described.bytes)[0]!.resource.attributes['k8s.node.name']).toBe('n7');
    await processor.consume(described);
    expect(sink.batches[1]).toBe(described);
  });

  it('refuses detectors that it does not know', () => {
    const result = resourceDetectionConfig().safeParse({ detectors: ['env', 'ec3'] });
    expect(result.error?.issues.map(({ message }) => message)).toEqual(['invalid detector key: ec3']);
  });

  it('tries again when a detector fails, and gives up in time', async () => {
    let attempts = 0;
    const getJson = async () => {
      attempts += 1;
      if (attempts < 3) throw new Error('not yet');
      return { Name: 'node-9' };
    };
    const config = {
      detectors: ['docker'],
      fail_on_missing_metadata: true,
      retry: { initial_interval: '1ms', multiplier: 1 },
    };
    expect(await detect(config, { getJson })).toMatchObject({ 'host.name': 'node-9' });
    expect(attempts).toBe(3);
    const never = async () => {
      throw new Error('never');
    };
    await expect(detect({ ...config, timeout: '20ms' }, { getJson: never })).rejects.toThrow(
      'docker metadata unavailable: never',
    );
  });

  it('docker: without a daemon there is nothing to write, unless it must be', async () => {
    const getJson = async () => {
      throw new Error('no daemon');
    };
    expect(await detect({ detectors: ['docker'] }, { getJson })).toEqual({ 'service.name': 'shop' });
    await expect(
      detect({ detectors: ['docker'], fail_on_missing_metadata: true }, { getJson }),
    ).rejects.toThrow('docker metadata unavailable: no daemon');
  });

  it.each([
    'novalue',
    '=x',
    'a=b%zz',
  ])('env: does not start with OTEL_RESOURCE_ATTRIBUTES=%s', async (value) => {
    await expect(detect({}, { env: { OTEL_RESOURCE_ATTRIBUTES: value } })).rejects.toThrow(
      'invalid resource format',
    );
  });
});
