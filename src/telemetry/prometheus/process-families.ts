import type { Family } from './family.js';

/**
 * The process as a Collector shows its own. `runtime_heap_alloc_bytes` is the used JavaScript heap and
 * `runtime_total_sys_memory_bytes` everything V8 and its buffers have; `runtime_total_alloc_bytes` is left out, because V8
 * does not count what it ever allocated.
 */
export function processFamilies(): Family[] {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const one = (
    name: string,
    type: Family['type'],
    unit: 'seconds' | 'bytes',
    help: string,
    value: number,
  ): Family => ({
    name: `otelcol_process_${name}`,
    type,
    unit,
    help: `${help}. [Alpha]`,
    points: [{ labels: {}, value }],
  });
  return [
    one('uptime', 'counter', 'seconds', 'Seconds since the process started', process.uptime()),
    one('cpu_seconds', 'counter', 'seconds', 'User and system CPU time', (user + system) / 1e6),
    one('memory_rss', 'gauge', 'bytes', 'Resident memory', rss),
    one('runtime_heap_alloc_bytes', 'gauge', 'bytes', 'Bytes of the heap that are in use', heapUsed),
    one(
      'runtime_total_sys_memory_bytes',
      'gauge',
      'bytes',
      'Bytes that the runtime has from the system',
      heapTotal + external,
    ),
  ];
}
