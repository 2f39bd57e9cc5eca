/**
 * The memory that telemetry on its way through the process may take, whatever the number of receivers, exporters and
 * requests: the bodies of requests that are being received or processed, and the batches in sending queues. Who finds it
 * used up refuses, retryably; nothing is accepted that there is no room for.
 */
import { totalmem } from 'node:os';
import type { ServiceKey } from '../component/component.js';
import type { ByteBudget } from '../transport/byte-budget.js';

/** The agent provides it. Hosts without it (tests) set no limit. */
export const MEMORY_BUDGET: ServiceKey<ByteBudget> = { name: 'memory budget' };

const MOST_BYTES = 512 * 2 ** 20;
/** Of the memory that there is. The rest is for the program itself, sockets, and copies in the making. */
const SHARE = 0.4;

/** 512 MiB, or 40 % of the memory of the cgroup or machine where that is less. */
export function defaultMemoryBudget(): number {
  // 0, or more than the machine has, when there is no limit.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(MOST_BYTES, Math.floor(Math.min(limit, totalmem()) * SHARE));
}
