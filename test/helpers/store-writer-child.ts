/** A process that writes numbered batches to the store in argv[2] until it is killed, and says how many are on disk. */
import { indexTraces } from '../../src/store/index-traces.js';
import { StoreWriter } from '../../src/store/store-writer.js';
import { NOP_LOGGER } from '../../src/telemetry/logger.js';
import { lockTrace } from './enriched-trace.js';
import { RecordedMetrics } from './recorded-metrics.js';

const metrics = new RecordedMetrics();
const writer = new StoreWriter({
  directory: process.argv[2] ?? '',
  signal: 'traces',
  maxBytes: 64 << 20,
  maxAgeMs: 3600e3,
  segmentBytes: 128 << 10,
  maxPendingBytes: 8 << 20,
  flushIntervalMs: 5,
  indexPayload: indexTraces,
  now: Date.now,
  logger: NOP_LOGGER,
  metrics,
});
await writer.start();
for (let i = 0; ; i += 1) {
  for (const bytes of lockTrace(Date.now(), i.toString(16).padStart(32, '0'))) {
    writer.offer({ signal: 'traces', itemCount: 1, bytes });
  }
  await writer.flush();
  process.stdout.write(`${i}\n`);
}
