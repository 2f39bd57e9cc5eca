/** The other thread of `inventory`: takes the lock of the shelf, is slow about it, gives it back, again and again. */
import { writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { SharedLock } from '../lib/shared-lock.mjs';

const HOLD_MS = 110;
const PAUSE_MS = 25;

const shelf = new SharedLock(workerData);
const pause = new Int32Array(new SharedArrayBuffer(4));

try {
  // A synchronous write is done by this thread: it names itself, as pthread_setname_np would.
  writeFileSync('/proc/thread-self/comm', 'stock-clerk');
} catch {
  // Then it is called "node", like the others.
}

for (;;) {
  shelf.acquire();
  Atomics.wait(pause, 0, 0, HOLD_MS);
  shelf.release();
  Atomics.wait(pause, 0, 0, PAUSE_MS);
}
