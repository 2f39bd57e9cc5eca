/** Processes. Source: Linux, Documentation/filesystems/proc.rst (/proc/PID/stat, status, io, fd). */
import {
  counter,
  gauge,
  type HostFiles,
  keyedNumbers,
  type Measurement,
  upDownCounter,
} from '../measurement.js';
import { TICKS_PER_SECOND } from './cpu.js';

const KIB = 1024;
const CPU_TIME = counter('process.cpu.time', 's', 'Total CPU seconds broken down by different CPU modes.');
const MEMORY = upDownCounter('process.memory.usage', 'By', 'Physical memory in use.');
const VIRTUAL = upDownCounter('process.memory.virtual', 'By', 'Committed virtual memory.');
const THREADS = upDownCounter('process.thread.count', '{thread}', 'Threads.');
const FILES = upDownCounter(
  'process.unix.file_descriptor.count',
  '{file_descriptor}',
  'Open file descriptors.',
);
const DISK_IO = counter('process.disk.io', 'By', 'Disk bytes transferred.');
const FAULTS = counter('process.paging.faults', '{fault}', 'Page faults.');
const SWITCHES = counter('process.context_switches', '{context_switch}', 'Context switches by kind.');
const UPTIME = gauge('process.uptime', 's', 'Time that the process has been running.');

export interface ProcessMeasurements {
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly startTicks: number;
  readonly measurements: readonly Measurement[];
}

export const processIds = (files: HostFiles): number[] =>
  files
    .folder('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** Undefined when it is gone. `uptime`: of the machine, seconds. */
export function scrapeProcess(
  files: HostFiles,
  pid: number,
  uptime: number,
): ProcessMeasurements | undefined {
  const stat = files.text(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name may hold anything, so fields are counted from its end: `fields[0]` is the state, field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTicks = Number(fields[19]);
  if (!Number.isSafeInteger(startTicks)) return undefined;
  const status = keyedNumbers(files.lines(`/proc/${pid}/status`));
  const io = keyedNumbers(files.lines(`/proc/${pid}/io`));
  const measurements: Measurement[] = [];
  const put = (metric: Measurement['metric'], value: number | undefined, attributes = {}): void => {
    if (value !== undefined && Number.isFinite(value)) measurements.push({ metric, attributes, value });
  };
  put(CPU_TIME, Number(fields[11]) / TICKS_PER_SECOND, { 'cpu.mode': 'user' });
  put(CPU_TIME, Number(fields[12]) / TICKS_PER_SECOND, { 'cpu.mode': 'system' });
  put(MEMORY, (status.get('VmRSS') ?? Number.NaN) * KIB);
  put(VIRTUAL, Number(fields[20]));
  put(THREADS, Number(fields[17]));
  put(FAULTS, Number(fields[7]), { 'system.paging.fault.type': 'minor' });
  put(FAULTS, Number(fields[9]), { 'system.paging.fault.type': 'major' });
  put(SWITCHES, status.get('voluntary_ctxt_switches'), { 'process.context_switch.type': 'voluntary' });
  put(SWITCHES, status.get('nonvoluntary_ctxt_switches'), { 'process.context_switch.type': 'involuntary' });
  // Only for those who may look.
  put(DISK_IO, io.get('read_bytes'), { 'disk.io.direction': 'read' });
  put(DISK_IO, io.get('write_bytes'), { 'disk.io.direction': 'write' });
  const open = files.folder(`/proc/${pid}/fd`).length;
  if (open > 0) put(FILES, open);
  put(UPTIME, Math.max(0, uptime - startTicks / TICKS_PER_SECOND));
  return { pid, startTicks, measurements };
}

export const PROCESS_METRICS = [CPU_TIME, MEMORY, VIRTUAL, THREADS, FILES, DISK_IO, FAULTS, SWITCHES, UPTIME];
