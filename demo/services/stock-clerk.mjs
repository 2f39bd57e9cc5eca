/** The other thread of `inventory`: takes the lock of the shelf, is slow about it, gives it back, again and again. */
import { workerData } from 'node:worker_threads';
import { SharedLock } from '../lib/shared-lock.mjs';

const HOLD_MS = 110;
const PAUSE_MS = 25;

const shelf = new SharedLock(workerData);
const pause = new Int32Array(new SharedArrayBuffer(4));

for (;;) {
  shelf.acquire();
  Atomics.wait(pause, 0, 0, HOLD_MS);
  shelf.release();
  Atomics.wait(pause, 0, 0, PAUSE_MS);
}
