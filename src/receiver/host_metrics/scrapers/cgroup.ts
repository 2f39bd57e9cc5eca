/**
 * Where the quota of a control group stopped its threads. Source: Linux, Documentation/admin-guide/cgroup-v2.rst
 * (`cpu.stat`). There is no convention, so the names are our own.
 */
import { counter, type HostFiles, keyedNumbers, type Measurement } from '../measurement.js';

const THROTTLED = counter(
  'kindling.cgroup.cpu.throttled.time',
  's',
  'Time that the threads of a control group had to wait because its quota was used up.',
);
const THROTTLED_PERIODS = counter(
  'kindling.cgroup.cpu.throttled.periods',
  '{period}',
  'Periods in which the quota of a control group was used up.',
);
const PERIODS = counter('kindling.cgroup.cpu.periods', '{period}', 'Periods in which a control group ran.');

const ROOT = '/sys/fs/cgroup';
const MAX_DEPTH = 6;
/** Folders that are looked into at most. */
const MAX_GROUPS = 4000;

/** Groups that have a quota and have run. */
export function scrapeCgroup(files: HostFiles): Measurement[] {
  const measurements: Measurement[] = [];
  const pending: [path: string, depth: number][] = [['', 0]];
  for (let looked = 0; pending.length > 0 && looked < MAX_GROUPS; looked++) {
    const [path, depth] = pending.shift()!;
    const numbers = keyedNumbers(files.lines(`${ROOT}${path}/cpu.stat`));
    const periods = numbers.get('nr_periods') ?? 0;
    if (periods > 0) {
      const attributes = { 'linux.cgroup': path === '' ? '/' : path };
      measurements.push(
        { metric: PERIODS, attributes, value: periods },
        { metric: THROTTLED_PERIODS, attributes, value: numbers.get('nr_throttled') ?? 0 },
        { metric: THROTTLED, attributes, value: (numbers.get('throttled_usec') ?? 0) / 1e6 },
      );
    }
    if (depth === MAX_DEPTH) continue;
    for (const name of files.folder(`${ROOT}${path}`)) {
      // Control files have a dot; slices, scopes and services too.
      if (name.includes('.') && !/\.(?:slice|scope|service|mount|socket)$/.test(name)) continue;
      pending.push([`${path}/${name}`, depth + 1]);
    }
  }
  return measurements;
}

export const CGROUP_METRICS = [PERIODS, THROTTLED_PERIODS, THROTTLED];
