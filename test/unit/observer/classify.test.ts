import { describe, expect, it } from 'vitest';
import { WAIT_CLASS, waitDetail, waitReason } from '../../../src/observer/classify.js';
import type { WaitRecord } from '../../../src/observer/types.js';
import { FD, file, inetSocket, SYS, wait } from './timeline-helpers.js';

const D = { state: 2 };
const IO = { state: 2, iowait: true };
const unix: WaitRecord['socket'] = {
  cookie: 0,
  listening: false,
  tuple: { family: 'unix', localAddress: '', localPort: 0, remoteAddress: '', remotePort: 0 },
};
const listening: WaitRecord['socket'] = { ...inetSocket(3, 0), listening: true };

const CASES: [string, Partial<WaitRecord>, reason: string, timeClass: string][] = [
  ['mutex', { syscall: SYS.futex, args: [0x1000, 128, 2] }, 'futex', 'lock'],
  ['tcp read', { syscall: SYS.read, fdKind: FD.socket, socket: inetSocket(1, 80) }, 'socket', 'net'],
  ['tcp recv', { syscall: SYS.recvfrom, fdKind: FD.socket, socket: inetSocket(1, 80) }, 'socket', 'net'],
  ['tcp send', { syscall: SYS.sendto, fdKind: FD.socket, socket: inetSocket(1, 80) }, 'socket', 'net'],
  ['connect', { syscall: SYS.connect, fdKind: FD.socket, socket: inetSocket(1, 80) }, 'socket', 'net'],
  ['accept', { syscall: SYS.accept, fdKind: FD.socket, socket: listening }, 'accept', 'idle'],
  ['unix read', { syscall: SYS.read, fdKind: FD.socket, socket: unix }, 'unix_socket', 'ipc'],
  ['pipe read', { syscall: SYS.read, fdKind: FD.pipe }, 'pipe', 'ipc'],
  [
    'eventfd read',
    { syscall: SYS.read, fdKind: FD.anon, wakerTid: 12, wakerSyscall: SYS.write },
    'eventfd',
    'ipc',
  ],
  ['timerfd read', { syscall: SYS.read, fdKind: FD.anon }, 'syscall', 'other'],
  ['tty read', { syscall: SYS.read, fdKind: FD.char }, 'device', 'other'],
  ['socket that nothing is known of', { syscall: SYS.read, fdKind: FD.socket }, 'syscall', 'other'],
  ['descriptor that nothing is known of', { syscall: SYS.read }, 'syscall', 'other'],
  ['fuse read', { syscall: SYS.read, fdKind: FD.file }, 'file', 'disk'],
  ['epoll', { syscall: SYS.epoll_wait, fdKind: FD.anon }, 'multiplex', 'idle'],
  ['poll of several', { syscall: SYS.poll, args: [1, 3, 100] }, 'multiplex', 'idle'],
  ['poll of none', { syscall: SYS.poll, args: [0, 0, 100] }, 'sleep', 'sleep'],
  [
    'poll of one socket',
    { syscall: SYS.poll, args: [1, 1, 100], fdKind: FD.socket, socket: inetSocket(1, 80) },
    'socket',
    'net',
  ],
  ['poll of one unknown', { syscall: SYS.poll, args: [1, 1, 100] }, 'multiplex', 'idle'],
  [
    'poll of one listening socket',
    { syscall: SYS.poll, args: [1, 1, 0], fdKind: 1, socket: listening },
    'accept',
    'idle',
  ],
  ['select of none', { syscall: SYS.pselect6, args: [0, 0, 0] }, 'sleep', 'sleep'],
  ['select', { syscall: SYS.pselect6, args: [9, 1, 0] }, 'multiplex', 'idle'],
  ['nanosleep', { syscall: SYS.clock_nanosleep, state: 0x2001 }, 'sleep', 'sleep'],
  ['fsync', { syscall: SYS.fsync, ...IO, fdKind: FD.file, file: file('a') }, 'file', 'disk'],
  ['journal commit', { syscall: SYS.fsync, ...D, fdKind: FD.file, file: file('a') }, 'file', 'disk'],
  ['cold read', { syscall: SYS.pread64, ...IO, fdKind: FD.file, file: file('a') }, 'file', 'disk'],
  ['killable read', { syscall: SYS.pread64, state: 0x102, fdKind: FD.file }, 'file', 'disk'],
  ['open', { syscall: SYS.openat, ...IO, fdKind: FD.directory, file: file('etc') }, 'file', 'disk'],
  ['major fault', { ...IO }, 'page_fault', 'disk'],
  [
    'fault while receiving',
    { syscall: SYS.read, ...IO, fdKind: FD.socket, socket: inetSocket(1, 80) },
    'page_fault',
    'disk',
  ],
  ['fault in futex', { syscall: SYS.futex, ...IO }, 'page_fault', 'disk'],
  ['mmap_lock in a fault', { ...D }, 'memory', 'other'],
  ['mmap_lock in mmap', { syscall: SYS.mmap, ...D }, 'memory', 'other'],
  [
    'lock of a socket',
    { syscall: SYS.read, ...D, fdKind: FD.socket, socket: inetSocket(1, 80) },
    'kernel',
    'other',
  ],
  ['waitpid', { syscall: SYS.wait4 }, 'child', 'other'],
  ['flock', { syscall: SYS.flock, fdKind: FD.file }, 'file_lock', 'lock'],
  ['fcntl lock', { syscall: SYS.fcntl, args: [3, 7, 0], fdKind: FD.file }, 'file_lock', 'lock'],
  ['other fcntl', { syscall: SYS.fcntl, args: [3, 4, 0], fdKind: FD.file }, 'syscall', 'other'],
  ['semop', { syscall: SYS.semop }, 'semaphore', 'lock'],
  ['io_uring', { syscall: SYS.io_uring_enter, args: [5, 1, 1] }, 'multiplex', 'idle'],
  [
    'stopped',
    { syscall: SYS.read, state: 4, fdKind: FD.socket, socket: inetSocket(1, 80) },
    'stopped',
    'other',
  ],
  ['traced', { state: 8 }, 'stopped', 'other'],
  ['preempted', { syscall: SYS.read, preempted: true }, 'preempted', 'runqueue'],
  ['yielded', { syscall: 24, state: 0 }, 'preempted', 'runqueue'],
  ['unknown call', { syscall: 9999 }, 'syscall', 'other'],
  ['no call, interruptible', {}, 'syscall', 'other'],
];

describe('waitReason', () => {
  it.each(CASES)('%s', (_name, overrides, reason, timeClass) => {
    const record = wait({ off: 1, on: 2, ...overrides });
    expect(waitReason(record, 'x64')).toBe(reason);
    expect(WAIT_CLASS[waitReason(record, 'x64')]).toBe(timeClass);
  });

  it('knows the numbers of arm64', () => {
    expect(waitReason(wait({ off: 1, on: 2, syscall: 98 }), 'arm64')).toBe('futex');
    expect(waitReason(wait({ off: 1, on: 2, syscall: 115 }), 'arm64')).toBe('sleep');
    expect(waitReason(wait({ off: 1, on: 2, syscall: 82, ...IO, fdKind: FD.file }), 'arm64')).toBe('file');
    expect(waitReason(wait({ off: 1, on: 2, syscall: 22 }), 'arm64')).toBe('multiplex');
    expect(waitReason(wait({ off: 1, on: 2, syscall: 23 }), 'arm64')).toBe('syscall');
  });
});

describe('waitDetail', () => {
  const lock = { off: 1, on: 2, syscall: SYS.futex, args: [0x7f00_0000_1000, 128, 2] as const };

  it('names the lock and who gave it', () => {
    const detail = waitDetail(wait({ ...lock, wakerTgid: 10, wakerTid: 12, wakerSyscall: SYS.futex }), 'x64');
    expect(detail).toMatchObject({
      lockAddress: '0x7f0000001000',
      waker: { tgid: 10, tid: 12 },
      timedOut: false,
      syscall: 'futex',
    });
  });

  it.each([
    ['a task that was interrupted', { wakerTgid: 10, wakerTid: 12, wakerSyscall: -1 }],
    ['a task in a call that cannot', { wakerTgid: 10, wakerTid: 12, wakerSyscall: SYS.read }],
    ['nobody', {}],
  ])('takes a lock for timed out that was ended by %s', (_name, waker) => {
    expect(waitDetail(wait({ ...lock, ...waker }), 'x64')).toMatchObject({
      waker: undefined,
      timedOut: true,
    });
  });

  it('does not take a signal for a timeout', () => {
    const detail = waitDetail(wait({ ...lock, wakerTgid: 9, wakerTid: 9, wakerSyscall: SYS.tgkill }), 'x64');
    expect(detail).toMatchObject({ waker: undefined, timedOut: false });
  });

  it('does not take a wait whose end was not seen for a timeout', () => {
    expect(waitDetail(wait({ ...lock, wake: 0 }), 'x64').timedOut).toBe(false);
  });

  it('names the peer, and the sender only over loopback', () => {
    const waker = { wakerTgid: 20, wakerTid: 21, wakerSyscall: SYS.write };
    const read = { off: 1, on: 2, syscall: SYS.read, fdKind: FD.socket, ...waker };
    expect(waitDetail(wait({ ...read, socket: inetSocket(1, 5432) }), 'x64')).toMatchObject({
      peer: { address: '10.0.0.9', port: 5432 },
      waker: undefined,
    });
    expect(waitDetail(wait({ ...read, socket: inetSocket(1, 5432, '127.0.0.1') }), 'x64').waker).toEqual({
      tgid: 20,
      tid: 21,
    });
  });

  it('names the file that was waited for, but not the directory of a path', () => {
    const io = { off: 1, on: 2, state: 2, iowait: true, file: file('data.db') };
    expect(waitDetail(wait({ ...io, syscall: SYS.fsync, fdKind: FD.file }), 'x64').file?.name).toBe(
      'data.db',
    );
    expect(
      waitDetail(wait({ ...io, syscall: SYS.openat, fdKind: FD.directory }), 'x64').file,
    ).toBeUndefined();
    expect(waitDetail(wait({ ...io, syscall: -1 }), 'x64').file).toBeUndefined();
  });
});
