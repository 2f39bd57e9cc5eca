/**
 * The promise of a persistent queue, with real kills: a sender numbers its spans, a backend counts them, and in between the
 * agent is killed again and again. KINDLING_KILLS sets how often (`make soak`: 500).
 */
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
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
import { seededRandom } from '../helpers/random.js';

const KILLS = Number(process.env.KINDLING_KILLS ?? 20);
const SEED = Number(process.env.KINDLING_SEED ?? 1);

const backend = new CountingBackend();
afterEach(async () => {
  await killLeftovers();
  await backend.stop();
  removeTemporaryDirectories();
});

it(
  `loses no acknowledged span in ${KILLS} kills`,
  async () => {
    const random = seededRandom(SEED);
    const directory = temporaryDirectory();
    await backend.start();
    // Now and then away or slow, so that the queue is sometimes full of work and sometimes empty when it dies.
    backend.behaviour = () =>
      random() < 0.1
        ? { kind: 'refuse', status: 503 }
        : random() < 0.1
          ? { kind: 'cut', early: false }
          : { kind: 'take', delayMs: random() * 20 };
    const port = await freePort();
    const config = faultConfig({
      receiverPort: port,
      backendPort: backend.port,
      directory,
      queue: { queue_size: 100_000 },
    });
    const sender = new NumberingSender({ port, paddingBytes: 100 });
    sender.start();
    let killedWithWork = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const agent = await startAgent(config);
      await sleep(random() * 300);
      await agent.stop('SIGKILL');
      expect(agent.child.signalCode).toBe('SIGKILL');
      expect(agent.stderr()).not.toContain('damaged');
      const [queue] = readdirSync(directory);
      if (queue !== undefined && readdirSync(join(directory, queue)).some((name) => name.endsWith('.kq'))) {
        killedWithWork++;
      }
    }
    // The kills hit something.
    expect(killedWithWork).toBeGreaterThan(KILLS / 2);
    backend.behaviour = () => ({ kind: 'take' });
    const agent = await startAgent(config);
    await sender.stop();
    await expect
      .poll(() => backend.missing(sender.acknowledged).length, { timeout: 60_000, interval: 100 })
      .toBe(0);
    expect(await agent.stop()).toBe(0);
    // What it still held are copies that were on their way when it stopped.
    const { received, sent, dropped, held } = exporterAccount(agent);
    expect([dropped, received - sent - held]).toEqual([0, 0]);
    const line =
      `${KILLS} kills: acknowledged ${sender.acknowledged.size}, delivered ${backend.counts.size}, ` +
      `lost 0, duplicates ${backend.duplicates}, killed with data on disk ${killedWithWork}`;
    console.log(line);
    if (process.env.KINDLING_SOAK_LOG !== undefined)
      appendFileSync(process.env.KINDLING_SOAK_LOG, `${line}\n`);
    expect(sender.acknowledged.size).toBeGreaterThan(KILLS * 10);
  },
  KILLS * 5000 + 120_000,
);
