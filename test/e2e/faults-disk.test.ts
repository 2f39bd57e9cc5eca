/** Disks that are full, read-only, deleted or damaged, and queues of other versions, under the built agent. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  freePort,
  killLeftovers,
  type Running,
  removeTemporaryDirectories,
  run,
  startAgent,
  temporaryDirectory,
} from '../helpers/agent.js';
import { CountingBackend } from '../helpers/faults/counting-backend.js';
import { exporterAccount, faultConfig } from '../helpers/faults/faulty-agent.js';
import { NumberingSender } from '../helpers/faults/numbering-sender.js';

/** Why nothing can be mounted; undefined when it can. */
function mountProblem(): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting a small tmpfs needs root';
  const directory = temporaryDirectory();
  const tried = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]);
  if (tried.status !== 0) return `mount: ${tried.stderr ?? tried.error}`;
  spawnSync('umount', [directory]);
  return undefined;
}
const problem = mountProblem();
if (problem !== undefined) console.warn(`e2e: tests of full and read-only disks are skipped: ${problem}`);

let backend = new CountingBackend();
const mounts: string[] = [];
afterEach(async () => {
  await killLeftovers();
  await backend.stop();
  backend = new CountingBackend();
  for (const mount of mounts.splice(0)) execFileSync('umount', [mount]);
  removeTemporaryDirectories();
});

const mount = (...args: string[]): void => {
  execFileSync('mount', args);
  mounts.push(args.at(-1)!);
};

/** Exit code of an agent that ends by itself. */
const endOf = async ({ child }: Running): Promise<number | null> =>
  child.exitCode ?? ((await once(child, 'close')) as [number | null])[0];

const queueFiles = (directory: string): string[] =>
  readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.kq'))
    .sort()
    .map((name) => join(directory, name));

/** Fills a queue behind a dead backend and ends the agent. */
async function fill(config: string, port: number, spans: number): Promise<NumberingSender> {
  const agent = await startAgent(config);
  const sender = new NumberingSender({ port, paddingBytes: 50 });
  sender.start();
  await expect.poll(() => sender.acknowledged.size >= spans, { timeout: 30_000 }).toBe(true);
  await sender.stop();
  expect(await agent.stop()).toBe(0);
  expect(exporterAccount(agent)).toMatchObject({ held: sender.acknowledged.size, dropped: 0 });
  return sender;
}

/** Lets the backend live, waits until the agent holds nothing more, and ends it. */
async function deliver(agent: Running, sender: NumberingSender, counted: () => number): Promise<void> {
  await expect
    .poll(() => backend.missing(sender.acknowledged).length - counted(), { timeout: 30_000, interval: 50 })
    .toBeLessThanOrEqual(0);
  expect(await agent.stop()).toBe(0);
}

describe.skipIf(problem !== undefined)('a disk', () => {
  it('that is full makes the agent refuse, and nothing that was acknowledged is lost', async () => {
    const directory = temporaryDirectory();
    mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory);
    await backend.start();
    backend.behaviour = () => ({ kind: 'refuse', status: 503 });
    const port = await freePort();
    const agent = await startAgent(
      faultConfig({ receiverPort: port, backendPort: backend.port, directory, queue: { queue_size: 1e6 } }),
    );
    const sender = new NumberingSender({ port, paddingBytes: 1000 });
    sender.start();
    // Acknowledged until the disk is full, and refused retryably then.
    await expect.poll(() => sender.answers.get(503) ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);
    expect(sender.acknowledged.size).toBeGreaterThan(100);
    expect(agent.stderr()).toContain('ENOSPC');
    const whenFull = sender.acknowledged.size;
    // Room again: it goes on, without a restart.
    backend.behaviour = () => ({ kind: 'take' });
    await expect.poll(() => sender.acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(whenFull + 500);
    await sender.stop();
    await deliver(agent, sender, () => 0);
    const { reasons } = exporterAccount(agent);
    // Only what the senders were told to keep.
    expect(reasons).toMatch(/^storage_failed=\d+$/);
    expect(backend.missing(sender.acknowledged)).toEqual([]);
    console.log(
      `full disk: acknowledged ${sender.acknowledged.size}, refused requests ${sender.answers.get(503)}, lost 0, duplicates ${backend.duplicates}`,
    );
  });

  it('that fails and is made read-only by the kernel: the agent refuses, the next run delivers', async ({
    skip,
  }) => {
    const image = join(temporaryDirectory(), 'disk');
    execFileSync('truncate', ['-s', '32M', image]);
    execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', image]);
    const directory = temporaryDirectory();
    try {
      mount('-o', 'loop,errors=remount-ro', image, directory);
    } catch (error) {
      if (process.env.KINDLING_REQUIRE_KERNEL === '1') throw error;
      skip(`no loop device: ${(error as Error).message}`);
    }
    const device = basename(execFileSync('findmnt', ['-no', 'SOURCE', directory]).toString().trim());
    await backend.start();
    backend.behaviour = () => ({ kind: 'refuse', status: 503 });
    const port = await freePort();
    const config = faultConfig({ receiverPort: port, backendPort: backend.port, directory });
    const agent = await startAgent(config);
    const sender = new NumberingSender({ port, paddingBytes: 1000 });
    sender.start();
    await expect.poll(() => sender.acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(100);
    // What ext4 does when it finds itself damaged (Documentation/ABI/testing/sysfs-fs-ext4).
    writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, '1');
    const failed = sender.answers.get(503) ?? 0;
    await expect.poll(() => sender.answers.get(503) ?? 0, { timeout: 30_000 }).toBeGreaterThan(failed + 20);
    expect(agent.stderr()).toContain('EROFS');
    await sender.stop();
    await agent.stop();
    backend.behaviour = () => ({ kind: 'take' });
    // Repaired.
    execFileSync('umount', [directory]);
    execFileSync('mount', ['-o', 'loop', image, directory]);
    await deliver(await startAgent(config), sender, () => 0);
    expect(backend.missing(sender.acknowledged)).toEqual([]);
  });

  it('that is read-only is refused at start, with the reason', async () => {
    const source = temporaryDirectory();
    const directory = temporaryDirectory();
    mount('--bind', source, directory);
    execFileSync('mount', ['-o', 'remount,bind,ro', directory]);
    const file = join(temporaryDirectory(), 'config.yaml');
    writeFileSync(file, faultConfig({ receiverPort: 0, backendPort: 1, directory }));
    const agent = run('bin/kindling', ['--config', file]);
    await agent.waitFor('Failed to start component');
    expect(await endOf(agent)).toBe(1);
    expect(agent.stderr()).toContain('cannot start pipelines: failed to start "otlp_http" exporter');
    expect(agent.stderr()).toContain('EROFS');
  });
});

describe('a queue directory', () => {
  it('that is deleted under the agent is made anew, and what was in it is counted', async () => {
    const directory = temporaryDirectory();
    await backend.start();
    backend.behaviour = () => ({ kind: 'refuse', status: 503 });
    const port = await freePort();
    const agent = await startAgent(
      faultConfig({ receiverPort: port, backendPort: backend.port, directory, queue: { queue_size: 1e6 } }),
    );
    const sender = new NumberingSender({ port, paddingBytes: 5000 });
    sender.start();
    // Beyond what is also in memory.
    await expect.poll(() => queueFiles(directory).length, { timeout: 30_000 }).toBeGreaterThan(30);
    // Moved away first: the agent makes new files while the old ones are being deleted.
    const gone = temporaryDirectory();
    renameSync(join(directory, readdirSync(directory)[0]!), join(gone, 'queue'));
    rmSync(gone, { recursive: true });
    const before = sender.acknowledged.size;
    await expect.poll(() => sender.acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(before + 100);
    expect(queueFiles(directory).length).toBeGreaterThan(0);
    await sender.stop();
    backend.behaviour = () => ({ kind: 'take' });
    const lost = (): number =>
      [...agent.stderr().matchAll(/"dropped_items": ?(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    await deliver(agent, sender, lost);
    const { dropped, held, reasons } = exporterAccount(agent);
    expect(reasons).toMatch(/^storage_lost=\d+$/);
    expect(held).toBe(0);
    expect(sender.acknowledged.size - backend.counts.size - dropped).toBe(0);
    expect(dropped).toBeGreaterThan(0);
  });

  it('is not shared by two processes', async () => {
    const directory = temporaryDirectory();
    const [port, second] = [await freePort(), await freePort()];
    const backendPort = await freePort();
    await startAgent(faultConfig({ receiverPort: port, backendPort, directory }));
    const file = join(temporaryDirectory(), 'config.yaml');
    writeFileSync(file, faultConfig({ receiverPort: second, backendPort, directory }));
    const other = run('bin/kindling', ['--config', file]);
    await other.waitFor('is being written by another process');
    expect(await endOf(other)).toBe(1);
  });

  it.each([
    'flipped',
    'cut',
    'torn',
  ] as const)('with a file that was %s delivers the rest and counts the loss', async (how) => {
    const directory = temporaryDirectory();
    const [port, backendPort] = [await freePort(), await freePort()];
    backend = new CountingBackend(backendPort);
    const config = faultConfig({ receiverPort: port, backendPort, directory, queue: { queue_size: 1e6 } });
    const sender = await fill(config, port, 500);
    const files = queueFiles(directory);
    const victim = files[0]!;
    const bytes = readFileSync(victim);
    if (how === 'flipped') for (let at = 5000; at < bytes.length; at += 9973) bytes[at]! ^= 0x40;
    // A torn tail is more than there was, not less.
    const damaged =
      how === 'cut'
        ? bytes.subarray(0, bytes.length / 2)
        : how === 'torn'
          ? Buffer.concat([bytes, bytes.subarray(100, 300)])
          : bytes;
    writeFileSync(victim, damaged);
    await backend.start();
    const inspected = spawnSync('bin/kindling', ['queue', 'inspect', directory, '--json'], {
      encoding: 'utf8',
    });
    expect(inspected.status).toBe(how === 'torn' ? 0 : 1);
    const [summary] = JSON.parse(inspected.stdout).queues;
    const agent = await startAgent(config);
    await deliver(agent, sender, () => summary.lostItems);
    const { dropped, held } = exporterAccount(agent);
    expect(held).toBe(0);
    expect(sender.acknowledged.size - backend.counts.size - dropped).toBe(0);
    if (how === 'torn') expect(dropped).toBe(0);
    else expect(dropped).toBeGreaterThan(0);
    expect(summary.waitingItems).toBe(backend.counts.size);
    expect(summary.lostItems).toBe(dropped);
  });

  it.each([
    ['newer', 99],
    ['older', 0],
  ])('of a %s version is left alone, with a clear sentence, and still whole for the right program', async (word, version) => {
    const directory = temporaryDirectory();
    const [port, backendPort] = [await freePort(), await freePort()];
    backend = new CountingBackend(backendPort);
    const config = faultConfig({ receiverPort: port, backendPort, directory, queue: { queue_size: 1e6 } });
    const sender = await fill(config, port, 100);
    const [victim] = queueFiles(directory);
    const original = readFileSync(victim!);
    const { crc32c } = await import('../../src/transport/crc32c.js');
    const changed = Buffer.from(original);
    changed.writeUInt16LE(version, 8);
    changed.writeUInt32LE(crc32c(changed, 0, 0, 28), 28);
    writeFileSync(victim!, changed);
    const file = join(temporaryDirectory(), 'config.yaml');
    writeFileSync(file, config);
    const agent = run('bin/kindling', ['--config', file]);
    await agent.waitFor(
      `has format version ${version}, which is ${word} than version 1 that this program reads`,
    );
    expect(await endOf(agent)).toBe(1);
    expect(readFileSync(victim!).equals(changed)).toBe(true);
    expect(statSync(victim!).size).toBe(original.length);

    writeFileSync(victim!, original);
    await backend.start();
    const again = await startAgent(config);
    await deliver(again, sender, () => 0);
    expect(backend.missing(sender.acknowledged)).toEqual([]);
  });
});
