import { statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { ConfigError } from '../../component/errors.js';
import type { EbpfConfig } from './config.js';
import type { CaptureOptions } from './native.js';

const CGROUP_ROOT = '/sys/fs/cgroup';

/** What the addon is asked for. Throws ConfigError for control groups that do not exist. */
export function captureOptions(config: EbpfConfig): CaptureOptions {
  const { include, exclude } = config.targets;
  return {
    ...(config.tiers.network === 'enabled'
      ? { net: { variant: config.net_hooks, captureBytes: config.capture_bytes } }
      : {}),
    ...(config.tiers.scheduler === 'enabled' ? { sched: {} } : {}),
    ...(config.tiers.cpu === 'enabled' ? { cpu: { frequencyHz: config.cpu_sample_hz } } : {}),
    proc: {},
    ...(readsTls(config) ? { tls: {} } : {}),
    ringBytes: config.ring_buffer_size,
    rules: {
      selectByDefault: config.targets.default === 'all',
      includePids: include.pids,
      excludePids: exclude.pids,
      includeComms: include.commands,
      excludeComms: exclude.commands,
      includeCgroupIds: include.cgroups.map(cgroupId),
      excludeCgroupIds: exclude.cgroups.map(cgroupId),
    },
  };
}

/** Plaintext is only worth something on its connection. */
export const readsTls = ({ tls, tiers }: EbpfConfig): boolean =>
  tls.enabled && tls.libraries.length > 0 && tiers.network === 'enabled';

/**
 * No other process has to be touched. Commands and control groups name processes that come and go: those that live for
 * milliseconds are only seen when the files are probed before they start.
 */
export function watchesPidsOnly({ targets }: EbpfConfig): boolean {
  const { commands, cgroups } = targets.include;
  return targets.default === 'none' && commands.length === 0 && cgroups.length === 0;
}

/** The id of a control group (v2) is the inode number of its directory. */
function cgroupId(path: string): bigint {
  const full = isAbsolute(path) ? path : join(CGROUP_ROOT, path);
  try {
    const stat = statSync(full, { bigint: true });
    if (stat.isDirectory()) return stat.ino;
  } catch {
    // Named below.
  }
  throw new ConfigError(`There is no control group ${full}.`);
}
