/** Programs that wait in one known way; the kernel's records must tell the same story as their own clocks. */

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FD_KIND, SCHED_WAIT_FLAGS } from '../../src/receiver/ebpf/abi.gen.js';
import {
  closeSessionsAfterEach,
  describeKernel,
  runProgram,
  Session,
  type Truth,
} from '../helpers/kernel.js';
import type { EventRecord } from '../helpers/records.js';

type Wait = Extract<EventRecord, { kind: 'sched_wait' }>;

const SYSCALL = {
  read: 0,
  poll: 7,
  accept: 43,
  sendto: 44,
  fsync: 74,
  futex: 202,
  clock_nanosleep: 230,
  epoll_wait: 232,
};
const INTERRUPTIBLE = 1;

/** Runs the program with only it watched. Returns its truth and its waiting thread's records within [start, end]. */
async function observe(program: string, args: readonly string[] = []) {
  const session = new Session({
    sched: {},
    rules: { selectByDefault: false, includeComms: [program] },
  });
  const truth = await runProgram(program, args);
  await session.settle();
  session.close();
  const waits = session
    .of('sched_wait')
    .filter((wait) => wait.tid === truth.tid && wait.time >= truth.start && wait.off <= truth.end);
  expect(session.of('sched_wait').every((wait) => wait.tgid === truth.pid)).toBe(true);
  return { truth, waits, longest: waits.reduce((a, b) => (b.time - b.off > a.time - a.off ? b : a)) };
}

/** `actual` ns equal `expected` ns within 2 % or a millisecond, whichever is more: the machine may be busy. */
function expectClose(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThan(Math.max(1e6, expected * 0.02));
}

/**
 * Time between switches against CPU time. The latter leaves out what interrupts and, in a virtual machine, the host took
 * away, so it may be less.
 */
function expectOnCpu(betweenSwitches: number, cpuTime: number): void {
  expect(betweenSwitches).toBeGreaterThan(cpuTime - 1e6);
  expect(betweenSwitches).toBeLessThan(cpuTime * 1.25 + 5e6);
}

/** The part of [start, end] that the program's thread was off the CPU must be what it says it waited. */
function expectWaited(wait: Wait, truth: Truth): void {
  expectClose(wait.time - wait.off, truth.end - truth.start);
  expect(wait.wake).toBeGreaterThan(wait.off);
  expect(wait.wake).toBeLessThanOrEqual(wait.time);
  expect(wait.flags).toBe(0);
}

describeKernel('sched: what a thread waits for', () => {
  closeSessionsAfterEach();

  it('sees a wait for a mutex, and who let it go', async () => {
    const { truth, longest } = await observe('mutex-wait');
    expectWaited(longest, truth);
    expect(longest).toMatchObject({
      syscall: SYSCALL.futex,
      state: INTERRUPTIBLE,
      fdKind: FD_KIND.NONE,
      wakerTgid: truth.pid,
      wakerTid: truth.waker,
      wakerSyscall: SYSCALL.futex,
    });
    expect(longest.args[0]).toBe(truth.address);
  });

  it('sees a wait for a condition, and who signalled it', async () => {
    const { truth, longest } = await observe('cond-wait');
    expectWaited(longest, truth);
    expect(longest).toMatchObject({ syscall: SYSCALL.futex, wakerTid: truth.waker });
  });

  it('sees a read from a pipe', async () => {
    const { truth, longest } = await observe('pipe-read');
    expectWaited(longest, truth);
    expect(longest).toMatchObject({ syscall: SYSCALL.read, fdKind: FD_KIND.PIPE, wakerTid: truth.waker });
    expect(longest.args[0]).toBe(truth.fd);
  });

  it('sees a read from a slow peer, with both ends of the connection', async () => {
    const { truth, longest } = await observe('tcp-read');
    expectWaited(longest, truth);
    expect(longest).toMatchObject({
      syscall: SYSCALL.read,
      state: INTERRUPTIBLE,
      fdKind: FD_KIND.SOCKET,
      wakerTid: truth.waker,
      wakerSyscall: SYSCALL.sendto,
    });
    expect(longest.socket).toMatchObject({
      listening: 0,
      tuple: {
        local: '127.0.0.1',
        localPort: truth.localPort,
        remote: '127.0.0.1',
        remotePort: truth.remotePort,
        family: 2,
        protocol: 6,
      },
    });
    expect(longest.socket!.cookie).toBeGreaterThan(0);
  });

  it('tells a listening socket from a connection', async () => {
    const { truth, longest } = await observe('accept-wait');
    expectWaited(longest, truth);
    expect(longest).toMatchObject({ syscall: SYSCALL.accept, fdKind: FD_KIND.SOCKET });
    expect(longest.socket).toMatchObject({
      listening: 1,
      tuple: { localPort: truth.localPort, remotePort: 0 },
    });
  });

  it('names the socket of a poll on one descriptor', async () => {
    const { truth, longest } = await observe('poll-one');
    expectWaited(longest, truth);
    expect(longest).toMatchObject({ syscall: SYSCALL.poll, fdKind: FD_KIND.SOCKET });
    expect(longest.socket!.tuple.remotePort).toBe(truth.remotePort);
  });

  it('sees an epoll wait as an anonymous file', async () => {
    const { truth, longest } = await observe('epoll-wait');
    expectWaited(longest, truth);
    expect(longest).toMatchObject({ syscall: SYSCALL.epoll_wait, fdKind: FD_KIND.ANON });
  });

  it('sees a sleep, which no thread ends', async () => {
    const { truth, longest } = await observe('sleep');
    expectWaited(longest, truth);
    expect(longest).toMatchObject({
      syscall: SYSCALL.clock_nanosleep,
      wakerTgid: 0,
      wakerTid: 0,
      wakerSyscall: -1,
    });
  });

  it('sees an fsync as waits on its file', async () => {
    // Next to the sources, because /tmp may be in memory.
    const directory = mkdtempSync(join(import.meta.dirname, '../../build/fsync-'));
    try {
      const { truth, waits } = await observe('fsync', [join(directory, 'data.bin')]);
      const inFsync = waits.filter((wait) => wait.syscall === SYSCALL.fsync && wait.fdKind === FD_KIND.FILE);
      expect(inFsync.length).toBeGreaterThan(0);
      for (const wait of inFsync) {
        expect(wait.file).toMatchObject({ inode: truth.inode, fd: truth.fd, name: 'data.bin' });
      }
      const off = waits.reduce((sum, wait) => sum + wait.time - wait.off, 0);
      expect(off).toBeLessThanOrEqual(truth.end - truth.start + 1e6);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('sees no waiting in a thread that computes, and counts its time on the CPU', async () => {
    const { truth, waits } = await observe('burn', ['50']);
    const off = waits.reduce(
      (sum, wait) => sum + Math.min(wait.time, truth.end) - Math.max(wait.off, truth.start),
      0,
    );
    expectOnCpu(truth.end - truth.start - off, truth.cpu!);
    for (const wait of waits) expect(wait.flags).toBe(SCHED_WAIT_FLAGS.PREEMPTED);
  });

  it('reports time that a runnable thread had no CPU as preemption', async () => {
    const { truth, waits } = await observe('preempt');
    const inside = waits.filter((wait) => wait.off >= truth.start && wait.time <= truth.end);
    const preempted = inside.filter((wait) => wait.flags === SCHED_WAIT_FLAGS.PREEMPTED);
    expect(preempted.length).toBeGreaterThan(0);
    for (const wait of preempted) expect(wait).toMatchObject({ state: 0, wake: 0, fdKind: FD_KIND.NONE });
    const off = inside.reduce((sum, wait) => sum + wait.time - wait.off, 0);
    expectOnCpu(truth.end - truth.start - off, truth.cpu!);
  });

  it('reports a wait once while it lasts, and once when it ends', async () => {
    const session = new Session({
      sched: { openWaitMs: 50, openWaitIntervalMs: 20 },
      rules: { selectByDefault: false, includeComms: ['sleep'] },
    });
    const truth = await runProgram('sleep', ['400']);
    await session.settle();
    const sleeps = session
      .of('sched_wait')
      .filter((wait) => wait.tid === truth.tid && wait.syscall === SYSCALL.clock_nanosleep);
    expect(sleeps).toHaveLength(2);
    const [open, ended] = sleeps;
    expect(open).toMatchObject({ flags: SCHED_WAIT_FLAGS.OPEN, off: ended!.off, wake: 0 });
    expect(open!.time - open!.off).toBeGreaterThanOrEqual(50e6);
    expect(ended!.flags).toBe(0);
    expectClose(ended!.time - ended!.off, truth.end - truth.start);
  });

  it('knows how long a thread ran before it waited', async () => {
    const session = new Session({
      sched: {},
      rules: { selectByDefault: false, includeComms: ['mutex-wait'] },
    });
    const truth = await runProgram('mutex-wait');
    await session.settle();
    const waits = session.of('sched_wait').filter((wait) => wait.tid === truth.tid);
    expect(waits.length).toBeGreaterThan(1);
    // Switch-in to switch-out, without a gap: what the records say must fill the time between them.
    for (let i = 1; i < waits.length; i++)
      expect(waits[i]!.onBefore).toBe(waits[i]!.off - waits[i - 1]!.time);
  });
});
