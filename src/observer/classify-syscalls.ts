/**
 * System calls in which threads wait, by what they wait for. Names come with the numbers of each architecture, because
 * the kernel reports numbers.
 * Sources: Linux v6.18, arch/x86/entry/syscalls/syscall_64.tbl and scripts/syscall.tbl (arm64).
 */

/** What the first argument means and what a wait inside is about. */
export type SyscallGroup =
  | 'transfer' // read, write, send, receive on the descriptor in the first argument
  | 'connect'
  | 'accept'
  | 'sync' // writes a file or file system back
  | 'path' // opens, looks up, changes names; the first argument is no open file or a directory
  | 'file' // works on the open file in the first argument
  | 'file_lock' // flock, and fcntl when it waits for a lock
  | 'futex'
  | 'epoll'
  | 'poll'
  | 'select'
  | 'sleep'
  | 'child'
  | 'semaphore'
  | 'message_queue'
  | 'aio'
  | 'io_uring'
  | 'memory'
  | 'signal'
  | 'exit'
  | 'kill';

export type Architecture = 'x64' | 'arm64';

export interface SyscallInfo {
  readonly name: string;
  readonly group: SyscallGroup;
}

/** name: [x86-64 number, arm64 number]; -1 where the architecture has no such call. */
const TABLE: Readonly<Record<SyscallGroup, Readonly<Record<string, readonly [number, number]>>>> = {
  transfer: {
    read: [0, 63],
    write: [1, 64],
    pread64: [17, 67],
    pwrite64: [18, 68],
    readv: [19, 65],
    writev: [20, 66],
    sendfile: [40, 71],
    sendto: [44, 206],
    recvfrom: [45, 207],
    sendmsg: [46, 211],
    recvmsg: [47, 212],
    splice: [275, 76],
    tee: [276, 77],
    vmsplice: [278, 75],
    preadv: [295, 69],
    pwritev: [296, 70],
    recvmmsg: [299, 243],
    sendmmsg: [307, 269],
    copy_file_range: [326, 285],
    preadv2: [327, 286],
    pwritev2: [328, 287],
  },
  connect: { connect: [42, 203] },
  accept: { accept: [43, 202], accept4: [288, 242] },
  sync: {
    msync: [26, 227],
    fsync: [74, 82],
    fdatasync: [75, 83],
    sync: [162, 81],
    sync_file_range: [277, 84],
    syncfs: [306, 267],
  },
  path: {
    open: [2, -1],
    stat: [4, -1],
    lstat: [6, -1],
    access: [21, -1],
    truncate: [76, 45],
    rename: [82, -1],
    mkdir: [83, -1],
    rmdir: [84, -1],
    creat: [85, -1],
    link: [86, -1],
    unlink: [87, -1],
    symlink: [88, -1],
    readlink: [89, -1],
    statfs: [137, 43],
    mount: [165, 40],
    umount2: [166, 39],
    openat: [257, 56],
    mkdirat: [258, 34],
    newfstatat: [262, 79],
    unlinkat: [263, 35],
    renameat: [264, 38],
    linkat: [265, 37],
    symlinkat: [266, 36],
    readlinkat: [267, 78],
    faccessat: [269, 48],
    utimensat: [280, 88],
    renameat2: [316, 276],
    statx: [332, 291],
    openat2: [437, 437],
    faccessat2: [439, 439],
  },
  file: {
    close: [3, 57],
    fstat: [5, 80],
    lseek: [8, 62],
    ftruncate: [77, 46],
    getdents: [78, -1],
    fchmod: [91, 52],
    fstatfs: [138, 44],
    readahead: [187, 213],
    getdents64: [217, 61],
    fadvise64: [221, 223],
    fallocate: [285, 47],
  },
  file_lock: { flock: [73, 32], fcntl: [72, 25] },
  futex: { futex: [202, 98], futex_waitv: [449, 449], futex_wake: [454, 454], futex_wait: [455, 455] },
  epoll: { epoll_wait: [232, -1], epoll_pwait: [281, 22], epoll_pwait2: [441, 441] },
  poll: { poll: [7, -1], ppoll: [271, 73] },
  select: { select: [23, -1], pselect6: [270, 72] },
  sleep: { nanosleep: [35, 101], clock_nanosleep: [230, 115] },
  child: { wait4: [61, 260], waitid: [247, 95], vfork: [58, -1], clone: [56, 220], clone3: [435, 435] },
  semaphore: { semop: [65, 193], semtimedop: [220, 192] },
  message_queue: {
    msgsnd: [69, 189],
    msgrcv: [70, 188],
    mq_timedsend: [242, 182],
    mq_timedreceive: [243, 183],
  },
  aio: { io_getevents: [208, 4], io_pgetevents: [333, 292], io_submit: [209, 2] },
  io_uring: { io_uring_enter: [426, 426] },
  memory: {
    mmap: [9, 222],
    mprotect: [10, 226],
    munmap: [11, 215],
    brk: [12, 214],
    mremap: [25, 216],
    madvise: [28, 233],
  },
  signal: { rt_sigtimedwait: [128, 137], rt_sigsuspend: [130, 133], pause: [34, -1] },
  exit: { exit: [60, 93], exit_group: [231, 94] },
  kill: { kill: [62, 129], tkill: [200, 130], tgkill: [234, 131], rt_sigqueueinfo: [129, 138] },
};

function numbered(column: 0 | 1): ReadonlyMap<number, SyscallInfo> {
  const byNumber = new Map<number, SyscallInfo>();
  for (const [group, calls] of Object.entries(TABLE) as [SyscallGroup, (typeof TABLE)[SyscallGroup]][]) {
    for (const [name, numbers] of Object.entries(calls)) {
      if (numbers[column] >= 0) byNumber.set(numbers[column], { name, group });
    }
  }
  return byNumber;
}

const BY_ARCHITECTURE: Readonly<Record<Architecture, ReadonlyMap<number, SyscallInfo>>> = {
  x64: numbered(0),
  arm64: numbered(1),
};

/** What is known of a system call, or undefined when threads are not expected to wait in it. */
export const syscallInfo = (architecture: Architecture, number: number): SyscallInfo | undefined =>
  BY_ARCHITECTURE[architecture].get(number);
