/** Memory and paging. Source: Linux, Documentation/filesystems/proc.rst (/proc/meminfo), mm/vmstat.c (/proc/vmstat). */
import {
  counter,
  gauge,
  type HostFiles,
  keyedNumbers,
  type Measurement,
  upDownCounter,
} from '../measurement.js';

const KIB = 1024;
const USAGE = upDownCounter('system.memory.usage', 'By', 'Memory in use by state.');
const LIMIT = upDownCounter('system.memory.limit', 'By', 'Memory of the machine.');
const AVAILABLE = upDownCounter(
  'system.memory.linux.available',
  'By',
  'Memory for new applications without swapping, as the kernel estimates it.',
);
const SLAB = upDownCounter('system.memory.linux.slab.usage', 'By', "Memory of the kernel's object caches.");
const SWAP = upDownCounter('system.paging.usage', 'By', 'Swap in use by state.');
const FAULTS = counter('system.paging.faults', '{fault}', 'Page faults.');
const OPERATIONS = counter('system.paging.operations', '{operation}', 'Pages moved from and to swap.');
const UPTIME = gauge('system.uptime', 's', 'Time since the machine started.');

export function scrapeMemory(files: HostFiles): Measurement[] {
  const kib = keyedNumbers(files.lines('/proc/meminfo'));
  const total = kib.get('MemTotal');
  if (total === undefined) return [];
  const of = (name: string): number => kib.get(name) ?? 0;
  // As free(1) counts: what the kernel can give back at once is cache.
  const cached = of('Cached') + of('SReclaimable');
  const states = {
    used: total - of('MemFree') - of('Buffers') - cached,
    free: of('MemFree'),
    buffers: of('Buffers'),
    cached,
  };
  return [
    ...Object.entries(states).map(([state, value]) => ({
      metric: USAGE,
      attributes: { 'system.memory.state': state },
      value: Math.max(0, value) * KIB,
    })),
    { metric: LIMIT, attributes: {}, value: total * KIB },
    { metric: AVAILABLE, attributes: {}, value: of('MemAvailable') * KIB },
    ...(['SReclaimable', 'SUnreclaim'] as const).map((name) => ({
      metric: SLAB,
      attributes: {
        'system.memory.linux.slab.state': name === 'SUnreclaim' ? 'unreclaimable' : 'reclaimable',
      },
      value: of(name) * KIB,
    })),
  ];
}

export function scrapePaging(files: HostFiles): Measurement[] {
  const kib = keyedNumbers(files.lines('/proc/meminfo'));
  const events = keyedNumbers(files.lines('/proc/vmstat'));
  const measurements: Measurement[] = [];
  const total = kib.get('SwapTotal');
  if (total !== undefined) {
    const free = kib.get('SwapFree') ?? 0;
    for (const [state, value] of [
      ['used', total - free],
      ['free', free],
    ] as const) {
      measurements.push({ metric: SWAP, attributes: { 'system.paging.state': state }, value: value * KIB });
    }
  }
  const faults = events.get('pgfault');
  if (faults === undefined) return measurements;
  const major = events.get('pgmajfault') ?? 0;
  for (const [type, value] of [
    ['major', major],
    ['minor', faults - major],
  ] as const) {
    measurements.push({ metric: FAULTS, attributes: { 'system.paging.fault.type': type }, value });
  }
  for (const [direction, name] of [
    ['in', 'pswpin'],
    ['out', 'pswpout'],
  ] as const) {
    const value = events.get(name) ?? 0;
    measurements.push({ metric: OPERATIONS, attributes: { 'system.paging.direction': direction }, value });
  }
  return measurements;
}

export function scrapeSystem(files: HostFiles): Measurement[] {
  const seconds = Number.parseFloat(files.text('/proc/uptime') ?? '');
  return Number.isFinite(seconds) ? [{ metric: UPTIME, attributes: {}, value: seconds }] : [];
}

export const MEMORY_METRICS = [USAGE, LIMIT, AVAILABLE, SLAB, SWAP, FAULTS, OPERATIONS, UPTIME];
