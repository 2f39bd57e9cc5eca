import { describe, expect, it } from 'vitest';
import { parseControlGroups } from '../../../../src/observer/process/control-group.js';
import { addressBytes } from '../../../../src/observer/process/ip-address.js';
import { parseOtelEnvironment } from '../../../../src/observer/process/otel-environment.js';
import { parseNamespacePid, parseStat } from '../../../../src/observer/process/stat.js';

const ID = 'c0ffee'.repeat(10).padEnd(64, '0');

describe('parseStat', () => {
  const rest = 'S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 20';

  it.each(['node', 'a b', 'evil) R 1 (x', 'line\nbreak', ''])('reads the start time behind %j', (comm) => {
    expect(parseStat(`42 (${comm}) ${rest}`)).toEqual({ comm, parentPid: 7, startTicks: 987654 });
  });

  it('refuses what is not whole', () => {
    expect(parseStat('')).toBeUndefined();
    expect(parseStat('42 (node) S 7')).toBeUndefined();
    expect(parseStat('42 node S 7')).toBeUndefined();
  });
});

describe('parseNamespacePid', () => {
  it('takes the innermost', () => {
    expect(parseNamespacePid('Name:\tx\nNSpid:\t4711\nNSpgid:\t1\n')).toBe(4711);
    expect(parseNamespacePid('Name:\tx\nNSpid:\t4711\t30\t1\nNSpgid:\t1\n')).toBe(1);
    expect(parseNamespacePid('Name:\tx\n')).toBeUndefined();
  });
});

describe('parseControlGroups', () => {
  it.each([
    ['docker, systemd driver', `0::/system.slice/docker-${ID}.scope`],
    ['docker, cgroupfs driver', `12:cpu:/docker/${ID}\n1:name=systemd:/docker/${ID}`],
    [
      'containerd in Kubernetes',
      `0::/kubepods.slice/kubepods-burstable.slice/kubepods-podab.slice/cri-containerd-${ID}.scope`,
    ],
    [
      'containerd, cgroupfs driver',
      `0::/system.slice/containerd.service/kubepods-besteffort-pod1.slice:cri-containerd:${ID}`,
    ],
    ['kubernetes, cgroupfs driver', `4:pids:/kubepods/burstable/pod12-34/${ID}`],
    ['podman', `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`],
    ['cri-o', `0::/kubepods.slice/crio-${ID}.scope`],
  ])('%s', (_, text) => {
    expect(parseControlGroups(`${text}\n`)).toEqual({ containerId: ID, systemdUnit: undefined });
  });

  it('does not take the monitor of a container for the container', () => {
    expect(parseControlGroups(`0::/machine.slice/libpod-conmon-${ID}.scope\n`).containerId).toBeUndefined();
  });

  it('knows systemd services', () => {
    expect(parseControlGroups('0::/system.slice/nginx.service\n').systemdUnit).toBe('nginx');
    expect(
      parseControlGroups('0::/system.slice/system-postgresql.slice/postgresql@15-main.service').systemdUnit,
    ).toBe('postgresql@15-main');
    expect(parseControlGroups('0::/system.slice/my\\x2dapp.service').systemdUnit).toBe('my-app');
    expect(parseControlGroups('0::/user.slice/user-0.slice/session-1.scope').systemdUnit).toBeUndefined();
    expect(
      parseControlGroups('0::/user.slice/user@1000.service/app.slice/x.scope').systemdUnit,
    ).toBeUndefined();
  });
});

describe('parseOtelEnvironment', () => {
  it('reads the two variables and nothing else', () => {
    expect(
      parseOtelEnvironment(
        'SECRET=1\0OTEL_RESOURCE_ATTRIBUTES=service.name=a,service.namespace=shop%20x, deployment.environment.name = p\0OTEL_SERVICE_NAME=b\0',
      ),
    ).toEqual({
      serviceName: 'b',
      resourceAttributes: { 'service.namespace': 'shop x', 'deployment.environment.name': 'p' },
    });
  });

  it('takes service.name of the attributes when there is no OTEL_SERVICE_NAME', () => {
    expect(
      parseOtelEnvironment('OTEL_SERVICE_NAME=\0OTEL_RESOURCE_ATTRIBUTES=service.name=a').serviceName,
    ).toBe('a');
  });

  it.each(['a=%zz', 'a=1,b', '=1'])('drops the whole variable when it is malformed: %s', (value) => {
    expect(parseOtelEnvironment(`OTEL_RESOURCE_ATTRIBUTES=x=1,${value}`)).toEqual({
      serviceName: undefined,
      resourceAttributes: {},
    });
  });

  it('holds names that objects have of their own', () => {
    const { resourceAttributes } = parseOtelEnvironment('OTEL_RESOURCE_ATTRIBUTES=__proto__=x,toString=y');
    expect(Object.entries(resourceAttributes)).toEqual([
      ['__proto__', 'x'],
      ['toString', 'y'],
    ]);
  });
});

describe('addressBytes', () => {
  it.each([
    ['127.0.0.1', '7f000001'],
    ['::1', '00000000000000000000000000000001'],
    ['::', '00000000000000000000000000000000'],
    ['2001:db8::1:2', '20010db8000000000000000000010002'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
    ['::ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ])('%s', (text, hex) => {
    expect(Buffer.from(addressBytes(text) ?? []).toString('hex')).toBe(hex);
  });

  it('refuses the rest', () => {
    expect(addressBytes('')).toBeUndefined();
    expect(addressBytes('localhost')).toBeUndefined();
  });
});
