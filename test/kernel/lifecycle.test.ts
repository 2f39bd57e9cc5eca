/** Opening and closing captures: nothing leaks, nothing hangs, nothing arrives afterwards. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ABI_HASH, STATS } from '../../src/receiver/ebpf/abi.gen.js';
import { Capture, clockOffset, loadAddon, probe } from '../../src/receiver/ebpf/native.js';
import {
  closeSessionsAfterEach,
  describeKernel,
  NodeChild,
  runProgram,
  Session,
  waitUntil,
} from '../helpers/kernel.js';

/** A cycle takes about 50 ms, mostly for reading the kernel's BTF; `KINDLING_LEAK_CYCLES=1000` is for patient people. */
const CYCLES = Number(process.env.KINDLING_LEAK_CYCLES ?? 100);

/** What a /proc/self directory says of each of its entries; one that ended meanwhile says nothing. */
const ofSelf = (directory: 'fd' | 'task', read: (path: string) => string): string[] =>
  readdirSync(`/proc/self/${directory}`).flatMap((entry) => {
    try {
      return [read(`/proc/self/${directory}/${entry}`)];
    } catch {
      return [];
    }
  });

/** Descriptors of BPF objects and perf events, and reader threads: what a capture owns. The test runner has others. */
const openFiles = () =>
  ofSelf('fd', readlinkSync).filter((target) => /anon_inode:.*(bpf|btf|perf)/.test(target)).length;
const threads = () =>
  ofSelf('task', (path) => readFileSync(`${path}/comm`, 'utf8')).filter((name) => name === 'kindling-ring\n')
    .length;

/** What every thread of this process waits for; for a test that waits too long. */
const whereThreadsAre = () =>
  ofSelf('task', (path) =>
    ['comm', 'wchan', 'stack'].map((file) => readFileSync(`${path}/${file}`, 'utf8').trim()).join(' '),
  );

async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} takes too long:\n${whereThreadsAre().join('\n')}`)),
      50_000,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

describeKernel('capture', () => {
  closeSessionsAfterEach();

  // The agent's own threads are never watched: on a quiet machine nobody else would run.
  let neighbour: NodeChild;
  beforeAll(() => {
    neighbour = new NodeChild('setInterval(() => {}, 1)');
  });
  afterAll(() => neighbour.end());
  /** Selects nobody but the neighbour, so that a test can't live on what happens to run beside it. */
  const ofNeighbour = () => ({ selectByDefault: false, includePids: [neighbour.pid] });

  it(`leaks no descriptor and no thread over ${CYCLES} cycles`, { timeout: 300_000 }, async () => {
    // Maps, ring, reader and the selection programs in each cycle, all topics in every 50th.
    const cycle = (topics: boolean) =>
      Capture.open(
        { ...(topics ? { net: {}, sched: {}, cpu: {}, proc: {} } : {}), ringBytes: 4096 },
        () => {},
      ).close();
    cycle(true);
    const before = { files: openFiles(), threads: threads() };
    const open = Capture.open({ proc: {} }, () => {});
    expect(openFiles()).toBeGreaterThan(before.files);
    await waitUntil(() => threads() === before.threads + 1);
    open.close();
    for (let i = 0; i < CYCLES; i++) {
      cycle(i % 50 === 0);
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    // The kernel frees programs after a grace period, but descriptors and threads are gone at once.
    expect({ files: openFiles(), threads: threads() }).toEqual(before);
  });

  it('stops while it is busy, and delivers nothing afterwards', { timeout: 300_000 }, async () => {
    for (let i = 0; i < 10; i++) {
      let batches = 0;
      const capture = Capture.open(
        {
          ...{ sched: {}, net: {}, rules: ofNeighbour() },
          ...{ pollMs: 1, slabCount: 2, slabBytes: 8192, ringBytes: 1 << 16 },
        },
        () => batches++,
      );
      await waitUntil(() => batches > 0);
      capture.close();
      const after = batches;
      await runProgram('sleep', ['5']);
      expect(batches).toBe(after);
    }
  });

  it('stops while every slab waits to be read', async () => {
    const capture = Capture.open(
      { sched: {}, rules: ofNeighbour(), pollMs: 1, slabCount: 2, slabBytes: 8192, ringBytes: 1 << 16 },
      () => {},
    );
    // This thread reads nothing, while the neighbour runs: both slabs are taken and the ring fills behind them.
    while (capture.ringUsedBytes() < 8192) readdirSync('/proc/self/fd');
    capture.close();
  });

  it('loses nothing when it is detached before it is closed', async () => {
    const session = new Session({ sched: {}, rules: { selectByDefault: false, includeComms: ['sleep'] } });
    const truth = await runProgram('sleep', ['10']);
    const end = session.capture.detach();
    await waitUntil(() => session.capture.drainedUpTo() >= end);
    expect(session.of('sched_wait').some((wait) => wait.tid === truth.tid)).toBe(true);
    expect(session.of('sched_wait').length).toBe(session.stats().sched_events);
    await runProgram('sleep', ['10']);
    expect(session.of('sched_wait').length).toBe(session.stats().sched_events);
    expect(session.capture.ringUsedBytes()).toBe(0);
  });

  it('can be closed twice, and says so when used afterwards', () => {
    const capture = Capture.open({ proc: {} }, () => {});
    capture.close();
    capture.close();
    expect(capture.drainedUpTo()).toBe(0);
    expect(() => capture.stats()).toThrow(/closed/);
    expect(() => capture.setRules({})).toThrow(/closed/);
  });

  it('runs in a worker thread that ends without closing it', { timeout: 240_000 }, async () => {
    const before = { files: openFiles(), threads: threads() };
    for (const ending of ['exit', 'terminate'] as const) {
      // Plain JavaScript against the addon: a worker of the test runner does not load TypeScript.
      const worker = new Worker(
        `const { workerData, parentPort } = require('node:worker_threads');
         const { createRequire } = require('node:module');
         const addon = createRequire(workerData.root)('./build/native/kindling.node');
         const slabs = [new ArrayBuffer(65536), new ArrayBuffer(65536)];
         const rules = { selectByDefault: false, includePids: [workerData.pid], excludePids: [], includeComms: [], excludeComms: [],
           includeCgroupIds: [], excludeCgroupIds: [] };
         const capture = new addon.Capture({ netVariant: 'auto', captureBytes: 256, sched: true, openWaitMs: 200,
           openWaitIntervalMs: 1000, cpuFrequencyHz: 49, proc: true, ringBytes: 1 << 16, pollMs: 1, rules }, slabs,
           (slab) => { capture.release(slab); parentPort.postMessage('batch'); });
         const failed = capture.report.find((topic) => !topic.attached);
         if (failed) throw new Error(JSON.stringify(failed));
         parentPort.on('message', () => process.exit(0));`,
        { eval: true, workerData: { root: new URL('../../', import.meta.url).pathname, pid: neighbour.pid } },
      );
      const begun = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await within(`the first batch (${ending})`, begun);
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      if (ending === 'exit') worker.postMessage('end');
      else worker.terminate();
      await within(`the worker's end (${ending})`, ended);
    }
    await waitUntil(() => openFiles() <= before.files && threads() <= before.threads);
  });

  it('refuses options outside their ranges', () => {
    const open = (options: Parameters<typeof Capture.open>[0]) => () =>
      Capture.open(options, () => {}).close();
    expect(open({ ringBytes: 5000 })).toThrow(/power of two/);
    expect(open({ slabBytes: 100 })).toThrow(/slabBytes/);
    expect(open({ net: { captureBytes: 5000 } })).toThrow(/captureBytes/);
    expect(open({ cpu: { frequencyHz: 0 } })).toThrow(/frequencyHz/);
    expect(open({ pollMs: 0.5 })).toThrow(/pollMs/);
  });

  it('exports what the typed face expects', () => {
    const addon = loadAddon();
    expect(addon.abiHash).toBe(ABI_HASH);
    for (const name of ['Capture', 'probe', 'clockOffset'] as const)
      expect(typeof addon[name]).toBe('function');
    const methods = [
      'release',
      'drainedUpTo',
      'readStats',
      'ringUsedBytes',
      'setRules',
      'detach',
      'close',
      'report',
    ];
    expect(Object.getOwnPropertyNames(addon.Capture.prototype)).toEqual(expect.arrayContaining(methods));
  });

  it('counts under the names of the header', () => {
    const session = new Session({ proc: {} });
    expect(Object.keys(session.stats())).toEqual(STATS.map(({ name }) => name));
  });
});

describeKernel('probe', () => {
  it('says what this kernel offers, and loads every topic on trial', () => {
    const found = probe();
    expect(found.btf).toBe(true);
    expect(found.hooks.sched_switch).toBe(true);
    expect(found.topics.map(({ topic, variant }) => `${topic}/${variant}`)).toEqual([
      'net/socket',
      'net/syscall',
      'net/message',
      'sched/',
      'cpu/',
      'proc/',
      'tls/',
    ]);
    expect(found.netVariant).toBe(found.topics[0]!.error === undefined ? 'socket' : 'syscall');
    const everywhere = found.topics.filter(({ variant }) => !['socket', 'message'].includes(variant));
    for (const topic of everywhere) expect(topic).toMatchObject({ attached: false, error: undefined });
  });
});

describeKernel('clockOffset', () => {
  it('agrees with the clocks of Node', () => {
    const { hi, lo, errorNs } = clockOffset();
    const offset = (BigInt(hi) << 32n) | BigInt(lo);
    const wall = BigInt(Date.now()) * 1_000_000n;
    const difference = wall - (process.hrtime.bigint() + offset);
    // Date.now() counts milliseconds; the rest is for a machine that is busy between the readings.
    expect(Math.abs(Number(difference))).toBeLessThan(50_000_000);
    expect(errorNs).toBeLessThan(1_000_000);
  });
});
