/** Counts goods. Every request needs a lock that a clerk in another thread holds most of the time. */
import { Worker } from 'node:worker_threads';
import { serve } from '../lib/http.mjs';
import { endWithSupervisor, reportReady } from '../lib/lifecycle.mjs';
import { SharedLock } from '../lib/shared-lock.mjs';
import { flushTelemetry } from '../lib/telemetry.mjs';

const memory = new SharedArrayBuffer(8);
const shelf = new SharedLock(memory);
const clerk = new Worker(new URL('./stock-clerk.mjs', import.meta.url), {
  name: 'stock-clerk',
  workerData: memory,
  execArgv: [],
});
clerk.on('error', (error) => {
  console.error('demo: the stock clerk failed:', error);
  process.exit(1);
});

/** Blocks this thread, as a native module or a synchronous driver would. */
function countOnShelf(/** @type {string} */ id) {
  shelf.acquire();
  try {
    return (Number.parseInt(id, 10) * 37) % 100;
  } finally {
    shelf.release();
  }
}

const port = await serve({
  '/stock/{id}': (_request, id) => ({ id, count: countOnShelf(id) }),
});

endWithSupervisor(flushTelemetry);
reportReady({ port });
