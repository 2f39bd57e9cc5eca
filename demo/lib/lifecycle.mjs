/** How a demo process begins and ends. It never outlives its supervisor: the IPC channel closes, whatever killed that one. */
import { rmSync } from 'node:fs';

/** Tells the supervisor that this process works; `facts` may carry the port it listens on. */
export const reportReady = (/** @type {Record<string, unknown>} */ facts) => {
  process.send?.({ type: 'ready', ...facts });
};

/**
 * Ends the process, after `cleanUp`, on SIGTERM and when the supervisor is gone. SIGINT is left to the supervisor,
 * because a terminal sends it to the whole group.
 */
export const endWithSupervisor = (/** @type {() => Promise<unknown>} */ cleanUp) => {
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    await cleanUp().catch(() => undefined);
    process.exit(0);
  };
  process.on('disconnect', end);
  process.on('SIGTERM', end);
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  // Written by --perf-basic-prof-only-functions, so that profilers can name compiled JavaScript.
  process.on('exit', () => rmSync(`/tmp/perf-${process.pid}.map`, { force: true }));
};
