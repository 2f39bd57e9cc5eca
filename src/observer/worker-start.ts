import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ObserverWorkerData } from './worker-messages.js';

/**
 * The observer makes little garbage that lives long: a young generation of V8's usual 48 MiB is memory for nothing. With
 * a smaller one it collects more often, in less time each.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 24 };

/** Starts the observer's thread. */
export function startWorker(workerData: ObserverWorkerData): Worker {
  const options = { workerData, name: 'observer', resourceLimits: RESOURCE_LIMITS };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), options);
  // From the sources (tests, tsx): a thread does not inherit the loader, so it begins by registering it.
  // (Its CommonJS build, which `resolve` finds, does not work in a thread; the module beside it does.)
  const esm = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm'));
  const loader = new URL('./api/index.mjs', esm);
  const entry = new URL('./worker.ts', import.meta.url);
  const start = `import(${JSON.stringify(loader)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(entry)}); });`;
  return new Worker(start, { ...options, eval: true });
}
