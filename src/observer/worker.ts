/** Entry of the observer's thread: connects a `LiveObserver` with the port to the main thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { UnsupportedError } from '../component/errors.js';
import { loadProtocols } from '../protocols/registry.js';
import { LiveObserver } from './live-observer.js';
import type { FromWorker, ObserverWorkerData, ToWorker } from './worker-messages.js';

const port = parentPort;
if (port === null) throw new Error('worker.js runs as a worker thread only.');

const post = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

try {
  const data = workerData as ObserverWorkerData;
  const protocols = await loadProtocols(data.protocols.modules, data.protocols.disabled);
  const observer = new LiveObserver(data, protocols, (message, transfer) => {
    post(message, transfer);
    if (message.type === 'stopped') port.close();
  });
  port.on('message', (message: ToWorker) => observer.receive(message));
} catch (error) {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  post(
    error instanceof UnsupportedError ? { type: 'unsupported', message } : { type: 'failed', message, stack },
  );
  port.close();
}
