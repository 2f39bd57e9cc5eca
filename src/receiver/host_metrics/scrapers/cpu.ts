/** Processors. Source: Linux, Documentation/filesystems/proc.rst section 1.7 (/proc/stat) and 1.2 (/proc/loadavg). */
import { counter, gauge, type HostFiles, type Measurement, upDownCounter } from '../measurement.js';

/** `USER_HZ`, which is 100 on every architecture that Node.js runs on (include/uapi/asm-generic/param.h). */
export const TICKS_PER_SECOND = 100;
/** In the order of the columns; guest time is part of the first two. */
const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'interrupt', 'softirq', 'steal'] as const;

const CPU_TIME = counter('system.cpu.time', 's', 'Seconds each logical CPU spent on each mode.');
const LOGICAL = upDownCounter('system.cpu.logical.count', '{cpu}', 'Logical CPUs.');
const LOADS = (['1m', '5m', '15m'] as const).map((name) => ({
  ...gauge(
    `system.cpu.load_average.${name}`,
    '{thread}',
    `Threads that ran or were ready to, on average over ${name}.`,
  ),
  isDouble: true,
}));

export function scrapeCpu(files: HostFiles): Measurement[] {
  const measurements: Measurement[] = [];
  let cpus = 0;
  for (const line of files.lines('/proc/stat')) {
    const match = /^cpu(\d+) (.+)$/.exec(line);
    if (match === null) continue;
    cpus++;
    const ticks = match[2]!.trim().split(' ').map(Number);
    for (const [index, mode] of MODES.entries()) {
      const value = (ticks[index] ?? 0) / TICKS_PER_SECOND;
      measurements.push({
        metric: CPU_TIME,
        attributes: { 'cpu.logical_number': Number(match[1]), 'cpu.mode': mode },
        value,
      });
    }
  }
  if (cpus > 0) measurements.push({ metric: LOGICAL, attributes: {}, value: cpus });
  return measurements;
}

export function scrapeLoad(files: HostFiles): Measurement[] {
  const averages = (files.text('/proc/loadavg') ?? '').split(' ').slice(0, 3).map(Number);
  return LOADS.flatMap((metric, index) => {
    const value = averages[index];
    return value === undefined || !Number.isFinite(value) || averages.length < 3
      ? []
      : [{ metric, attributes: {}, value }];
  });
}

export const CPU_METRICS = [CPU_TIME, LOGICAL, ...LOADS];
