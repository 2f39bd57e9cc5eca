/** The wall clock of a running agent jumps, by days, to and fro (libfaketime, which every call of Node.js goes through). */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import {
  freePort,
  killLeftovers,
  removeTemporaryDirectories,
  startAgent,
  temporaryDirectory,
} from '../helpers/agent.js';
import { CountingBackend } from '../helpers/faults/counting-backend.js';
import { exporterAccount, faultConfig } from '../helpers/faults/faulty-agent.js';
import { NumberingSender } from '../helpers/faults/numbering-sender.js';
import { itWith } from '../helpers/tools.js';

const backend = new CountingBackend();
afterEach(async () => {
  await killLeftovers();
  await backend.stop();
  removeTemporaryDirectories();
});

/** Of the distribution's package `faketime`, which keeps it in a folder per architecture. */
function faketimeLibrary(): string {
  for (const folder of readdirSync('/usr/lib')) {
    const path = `/usr/lib/${folder}/faketime`;
    try {
      if (readdirSync(path).includes('libfaketime.so.1')) return join(path, 'libfaketime.so.1');
    } catch {
      // Another folder.
    }
  }
  throw new Error('libfaketime.so.1 was not found');
}

itWith(['faketime'], 'clock jumps lose nothing, retry nothing early and give nothing up', async () => {
  const clock = join(temporaryDirectory(), 'clock');
  const jump = (offset: string): void => writeFileSync(clock, offset);
  jump('+0');
  await backend.start();
  const [port, directory] = [await freePort(), temporaryDirectory()];
  const config = JSON.parse(
    faultConfig({ receiverPort: port, backendPort: backend.port, directory, queue: { queue_size: 1e6 } }),
  );
  // Batches that seemed to be older than this would be given up.
  config.exporters.otlp_http.retry_on_failure.max_elapsed_time = '1h';
  const env = {
    LD_PRELOAD: faketimeLibrary(),
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  const agent = await startAgent(JSON.stringify(config), [], { env });
  const sender = new NumberingSender({ port });
  sender.start();
  for (const offset of ['+2d', '-3d', '+400d', '-1s', '+0']) {
    // Some are waiting to be sent again while it jumps.
    backend.behaviour = () => ({ kind: 'refuse', status: 503 });
    const before = sender.acknowledged.size;
    await expect.poll(() => sender.acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(before + 200);
    jump(offset);
    await expect.poll(() => sender.acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(before + 400);
    backend.behaviour = () => ({ kind: 'take' });
    await expect.poll(() => backend.counts.size, { timeout: 30_000 }).toBeGreaterThan(before);
  }
  // The log shows that the jumps were seen.
  const days = new Set([...agent.stderr().matchAll(/\b(20\d\d-\d\d-\d\d)T/g)].map(([, day]) => day));
  expect(days.size).toBeGreaterThan(2);
  await sender.stop();
  await expect
    .poll(() => backend.missing(sender.acknowledged).length, { timeout: 30_000, interval: 100 })
    .toBe(0);
  expect(await agent.stop()).toBe(0);
  expect(exporterAccount(agent)).toMatchObject({ dropped: 0, held: 0 });
});
