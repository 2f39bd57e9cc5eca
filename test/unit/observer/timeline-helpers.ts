/** Hand-made kernel records for tests of the timeline and the join. Times are nanoseconds; a unit is a millisecond. */
import type { WaitRecord } from '../../../src/observer/types.js';

export const MS = 1_000_000;

export const SYS = {
  read: 0,
  write: 1,
  poll: 7,
  mmap: 9,
  pread64: 17,
  nanosleep: 35,
  connect: 42,
  accept: 43,
  sendto: 44,
  recvfrom: 45,
  exit: 60,
  wait4: 61,
  fcntl: 72,
  flock: 73,
  fsync: 74,
  tgkill: 234,
  semop: 65,
  futex: 202,
  clock_nanosleep: 230,
  epoll_wait: 232,
  openat: 257,
  pselect6: 270,
  io_uring_enter: 426,
} as const;

export const FD = { none: 0, socket: 1, file: 2, block: 3, pipe: 4, char: 5, anon: 6, directory: 7 } as const;

/** An interruptible wait of thread 11 of process 10, woken when it ran again, in no system call. */
export function wait(overrides: Partial<WaitRecord> & { off: number; on: number }): WaitRecord {
  return {
    tgid: 10,
    tid: 11,
    wake: overrides.preempted || overrides.state === 0 ? 0 : overrides.on,
    onBefore: 0,
    open: false,
    preempted: false,
    syscall: -1,
    args: [0, 0, 0],
    state: 1,
    iowait: false,
    fdKind: 0,
    wakerTgid: 0,
    wakerTid: 0,
    wakerSyscall: -1,
    socket: undefined,
    file: undefined,
    ...overrides,
  };
}

export const inetSocket = (
  cookie: number,
  remotePort: number,
  remoteAddress = '10.0.0.9',
): NonNullable<WaitRecord['socket']> => ({
  cookie,
  listening: false,
  tuple: { family: 'inet', localAddress: '10.0.0.1', localPort: 40_000, remoteAddress, remotePort },
});

export const file = (name: string): NonNullable<WaitRecord['file']> => ({
  inode: 7,
  device: 1,
  fd: 3,
  name,
});

/** A generator of repeatable random numbers (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
