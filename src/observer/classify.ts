/**
 * Why a thread was off the CPU, from what the kernel saw when it switched away: system call and arguments, task state,
 * and the file behind the descriptor.
 *
 *   state          system call            descriptor        class     reason
 *   runnable       any                                      runqueue  preempted
 *   D, iowait      none                                     disk      page_fault
 *   D, iowait      any                    file: its name    disk      file
 *   D              fsync, open, read, ...                   disk      file (journal, inode lock)
 *   D              none, mmap, ...                          other     memory (mmap_lock, fault without I/O)
 *   D              any other                                other     kernel
 *   S              futex, semop, flock                      lock
 *   S              read, send, ...        inet socket       net       socket, with its peer
 *   S              read, send, ...        unix, pipe        ipc
 *   S              accept, read           listening         idle      accept
 *   S              poll on one descriptor inet socket       net
 *   S              epoll, poll, select    several           idle      multiplex
 *   S              poll, select           none              sleep
 *   S              nanosleep                                sleep
 *   S              wait4, vfork                             other     child
 *   stopped        any                                      other     stopped
 *
 * Sources: include/linux/sched.h (task states) and kernel/futex/ of Linux v6.18.
 */
import { type Architecture, type SyscallInfo, syscallInfo } from './classify-syscalls.js';
import type { TimeClass, WaitRecord } from './types.js';

export const WAIT_CLASS = {
  preempted: 'runqueue',
  futex: 'lock',
  file_lock: 'lock',
  semaphore: 'lock',
  socket: 'net',
  file: 'disk',
  page_fault: 'disk',
  sleep: 'sleep',
  pipe: 'ipc',
  unix_socket: 'ipc',
  eventfd: 'ipc',
  message_queue: 'ipc',
  accept: 'idle',
  multiplex: 'idle',
  child: 'other',
  memory: 'other',
  kernel: 'other',
  stopped: 'other',
  device: 'other',
  signal: 'other',
  syscall: 'other',
} as const satisfies Record<string, TimeClass>;

export type WaitReason = keyof typeof WAIT_CLASS;

export interface WaitDetail {
  readonly reason: WaitReason;
  /** Name of the system call, `syscall_<number>` for rare ones, undefined outside of one. */
  readonly syscall: string | undefined;
  readonly peer: { readonly address: string; readonly port: number } | undefined;
  readonly file: WaitRecord['file'];
  /** Address of the futex word, hexadecimal. */
  readonly lockAddress: string | undefined;
  /** A lock wait that a timer ended. */
  readonly timedOut: boolean;
  /** The thread that ended the wait, where its waking is to be believed. */
  readonly waker: { readonly tgid: number; readonly tid: number } | undefined;
}

const TASK_INTERRUPTIBLE = 1;
const TASK_UNINTERRUPTIBLE = 2;
const TASK_STOPPED_OR_TRACED = 4 | 8;
const TASK_FROZEN = 0x8000;

const FD_SOCKET = 1;
const FD_FILE = 2;
const FD_BLOCK = 3;
const FD_PIPE = 4;
const FD_CHAR = 5;
const FD_ANON = 6;
const FD_DIRECTORY = 7;

/** Commands of fcntl(2) that wait. */
const F_SETLKW = 7;
const F_OFD_SETLKW = 38;

/** Why the thread was blocked between switching away and being woken. */
export function waitReason(wait: WaitRecord, architecture: Architecture): WaitReason {
  if (wait.preempted || wait.state === 0) return 'preempted';
  if ((wait.state & (TASK_STOPPED_OR_TRACED | TASK_FROZEN)) !== 0) return 'stopped';
  const info = wait.syscall < 0 ? undefined : syscallInfo(architecture, wait.syscall);
  if (wait.iowait) return isFileWait(wait, info) ? 'file' : 'page_fault';
  if ((wait.state & TASK_UNINTERRUPTIBLE) !== 0) return uninterruptible(wait, info);
  if ((wait.state & TASK_INTERRUPTIBLE) === 0) return 'kernel';
  return info === undefined ? 'syscall' : interruptible(wait, info);
}

/** Block I/O inside a call that works on files; in any other call it can only be memory that was paged out. */
function isFileWait(wait: WaitRecord, info: SyscallInfo | undefined): boolean {
  switch (info?.group) {
    case undefined:
    case 'futex':
    case 'epoll':
    case 'poll':
    case 'select':
    case 'sleep':
    case 'connect':
    case 'accept':
    case 'semaphore':
    case 'signal':
    case 'kill':
    case 'exit':
    case 'child':
    case 'memory':
    case 'message_queue':
      return false;
    case 'transfer':
      // sendfile and splice read a file to fill a socket or pipe.
      return !isChannel(wait.fdKind) || info.name === 'sendfile' || info.name === 'splice';
    default:
      return true;
  }
}

const isChannel = (fdKind: number): boolean =>
  fdKind === FD_SOCKET || fdKind === FD_PIPE || fdKind === FD_ANON || fdKind === FD_CHAR;

function uninterruptible(wait: WaitRecord, info: SyscallInfo | undefined): WaitReason {
  switch (info?.group) {
    case undefined:
      return wait.syscall < 0 ? 'memory' : 'kernel';
    case 'memory':
      return 'memory';
    case 'sync':
    case 'path':
    case 'aio':
      return 'file';
    case 'file':
    case 'transfer':
      return isOnDisk(wait.fdKind) ? 'file' : 'kernel';
    case 'child':
      // The parent of a vfork() waits in state D until the child runs another program.
      return 'child';
    default:
      return 'kernel';
  }
}

const isOnDisk = (fdKind: number): boolean =>
  fdKind === FD_FILE || fdKind === FD_BLOCK || fdKind === FD_DIRECTORY;

function interruptible(wait: WaitRecord, info: SyscallInfo): WaitReason {
  switch (info.group) {
    case 'futex':
      return 'futex';
    case 'transfer':
    case 'connect':
    case 'accept':
      return channelReason(wait, info);
    case 'file':
      return isOnDisk(wait.fdKind) ? 'file' : channelReason(wait, info);
    case 'sync':
    case 'path':
      return 'file';
    case 'file_lock':
      return info.name === 'flock' || wait.args[1] === F_SETLKW || wait.args[1] === F_OFD_SETLKW
        ? 'file_lock'
        : 'syscall';
    case 'poll':
      if (wait.args[1] === 0) return 'sleep';
      return wait.args[1] === 1 && wait.fdKind !== 0 ? singlePoll(wait) : 'multiplex';
    case 'select':
      return wait.args[0] === 0 ? 'sleep' : 'multiplex';
    case 'epoll':
      return 'multiplex';
    case 'io_uring':
      return wait.args[2] > 0 ? 'multiplex' : 'syscall';
    case 'aio':
      return 'file';
    case 'sleep':
    case 'child':
    case 'semaphore':
    case 'message_queue':
    case 'memory':
    case 'signal':
      return info.group;
    default:
      return 'syscall';
  }
}

function channelReason(wait: WaitRecord, info: SyscallInfo): WaitReason {
  if (info.group === 'accept') return 'accept';
  switch (wait.fdKind) {
    case FD_SOCKET:
      if (wait.socket === undefined) return 'syscall';
      if (wait.socket.listening) return 'accept';
      return wait.socket.tuple.family === 'unix' ? 'unix_socket' : 'socket';
    case FD_PIPE:
      return 'pipe';
    case FD_ANON:
      // An eventfd is written by a task; a timerfd, signalfd or inotify is filled from elsewhere.
      return wait.wakerTid !== 0 && wait.wakerSyscall >= 0 ? 'eventfd' : 'syscall';
    case FD_CHAR:
      return 'device';
    case FD_FILE:
    case FD_BLOCK:
    case FD_DIRECTORY:
      return 'file';
    default:
      return 'syscall';
  }
}

/** poll() of one descriptor that the kernel side has looked up: the same as a blocking read of it. */
function singlePoll(wait: WaitRecord): WaitReason {
  if (wait.fdKind === FD_SOCKET && wait.socket !== undefined) {
    if (wait.socket.listening) return 'accept';
    return wait.socket.tuple.family === 'unix' ? 'unix_socket' : 'socket';
  }
  return wait.fdKind === FD_PIPE ? 'pipe' : 'multiplex';
}

/** What a user wants to know about a wait, beside its class. */
export function waitDetail(wait: WaitRecord, architecture: Architecture): WaitDetail {
  const reason = waitReason(wait, architecture);
  const waker = believableWaker(wait, reason, architecture);
  return {
    reason,
    syscall: syscallName(wait, architecture),
    peer:
      reason === 'socket' && wait.socket !== undefined && wait.socket.tuple.remotePort !== 0
        ? { address: wait.socket.tuple.remoteAddress, port: wait.socket.tuple.remotePort }
        : undefined,
    file: reason === 'file' || reason === 'file_lock' ? fileOf(wait, architecture) : undefined,
    lockAddress: reason === 'futex' && wait.args[0] > 0 ? `0x${wait.args[0].toString(16)}` : undefined,
    timedOut:
      reason === 'futex' && wait.wake > 0 && waker === undefined && !wokenBySignal(wait, architecture),
    waker,
  };
}

/** The first argument of calls on paths is a directory, not the file that was waited for. */
function fileOf(wait: WaitRecord, architecture: Architecture): WaitRecord['file'] {
  return syscallInfo(architecture, wait.syscall)?.group === 'path' ? undefined : wait.file;
}

function syscallName(wait: WaitRecord, architecture: Architecture): string | undefined {
  if (wait.syscall < 0) return undefined;
  return syscallInfo(architecture, wait.syscall)?.name ?? `syscall_${wait.syscall}`;
}

const wokenBySignal = (wait: WaitRecord, architecture: Architecture): boolean =>
  syscallInfo(architecture, wait.wakerSyscall)?.group === 'kill';

/**
 * The task that was current when the wait ended did not necessarily end it: an interrupt may have come while it ran.
 * It is believed when the call it was in can have done so.
 */
function believableWaker(
  wait: WaitRecord,
  reason: WaitReason,
  architecture: Architecture,
): WaitDetail['waker'] {
  if (wait.wake === 0 || wait.wakerTid === 0) return undefined;
  const group = syscallInfo(architecture, wait.wakerSyscall)?.group;
  return group !== undefined && canWake(wait, reason, group)
    ? { tgid: wait.wakerTgid, tid: wait.wakerTid }
    : undefined;
}

function canWake(wait: WaitRecord, reason: WaitReason, group: SyscallInfo['group']): boolean {
  switch (reason) {
    case 'futex':
      // Ending threads wake those that wait for their id or for a robust mutex.
      return group === 'futex' || group === 'exit';
    case 'semaphore':
      return group === 'semaphore' || group === 'exit';
    case 'file_lock':
      return group === 'file_lock' || group === 'file' || group === 'exit';
    case 'socket':
      // Over loopback the sender itself delivers; from elsewhere it is a network interrupt under any task.
      return (
        isLoopback(wait) &&
        (group === 'transfer' || group === 'connect' || group === 'file' || group === 'exit')
      );
    case 'pipe':
    case 'unix_socket':
    case 'eventfd':
      return group === 'transfer' || group === 'connect' || group === 'file' || group === 'exit';
    case 'message_queue':
      return group === 'message_queue';
    case 'child':
      return group === 'exit';
    default:
      return false;
  }
}

function isLoopback(wait: WaitRecord): boolean {
  const tuple = wait.socket?.tuple;
  if (tuple === undefined) return false;
  const { remoteAddress } = tuple;
  return remoteAddress === '::1' || remoteAddress.startsWith('127.') || remoteAddress === tuple.localAddress;
}
