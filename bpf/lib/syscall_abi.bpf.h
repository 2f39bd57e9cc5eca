/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* System call numbers and registers of each architecture: the only place that knows them on the kernel side. */
#ifndef KINDLING_SYSCALL_ABI_H
#define KINDLING_SYSCALL_ABI_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>

#if defined(__TARGET_ARCH_x86)

#define SYSCALL_NR(regs) ((__s32)(regs)->orig_ax)
#define SYSCALL_ARG0(regs) ((regs)->di)
#define SYSCALL_ARG1(regs) ((regs)->si)
#define SYSCALL_ARG2(regs) ((regs)->dx)
#define SYSCALL_ARG3(regs) ((regs)->r10)
#define SYSCALL_ARG4(regs) ((regs)->r8)
#define SYSCALL_ARG5(regs) ((regs)->r9)

#define TS_COMPAT 0x0002 /* arch/x86/include/asm/thread_info.h: in a 32-bit system call */

/* arch/x86/entry/syscalls/syscall_64.tbl */
enum {
	NR_read = 0,
	NR_write = 1,
	NR_close = 3,
	NR_poll = 7,
	NR_ioctl = 16,
	NR_pread64 = 17,
	NR_pwrite64 = 18,
	NR_readv = 19,
	NR_writev = 20,
	NR_nanosleep = 35,
	NR_sendfile = 40,
	NR_connect = 42,
	NR_accept = 43,
	NR_sendto = 44,
	NR_recvfrom = 45,
	NR_sendmsg = 46,
	NR_recvmsg = 47,
	NR_shutdown = 48,
	NR_exit = 60,
	NR_kill = 62,
	NR_fcntl = 72,
	NR_flock = 73,
	NR_fsync = 74,
	NR_fdatasync = 75,
	NR_ftruncate = 77,
	NR_readahead = 187,
	NR_tkill = 200,
	NR_futex = 202,
	NR_getdents64 = 217,
	NR_clock_nanosleep = 230,
	NR_exit_group = 231,
	NR_epoll_wait = 232,
	NR_tgkill = 234,
	NR_ppoll = 271,
	NR_splice = 275,
	NR_tee = 276,
	NR_sync_file_range = 277,
	NR_vmsplice = 278,
	NR_epoll_pwait = 281,
	NR_fallocate = 285,
	NR_accept4 = 288,
	NR_preadv = 295,
	NR_pwritev = 296,
	NR_rt_sigqueueinfo = 129,
	NR_rt_tgsigqueueinfo = 297,
	NR_recvmmsg = 299,
	NR_syncfs = 306,
	NR_sendmmsg = 307,
	NR_copy_file_range = 326,
	NR_preadv2 = 327,
	NR_pwritev2 = 328,
};

#elif defined(__TARGET_ARCH_arm64)

#define SYSCALL_NR(regs) ((__s32)(regs)->syscallno)
#define SYSCALL_ARG0(regs) ((regs)->orig_x0) /* regs[0] holds the result at exit */
#define SYSCALL_ARG1(regs) ((regs)->regs[1])
#define SYSCALL_ARG2(regs) ((regs)->regs[2])
#define SYSCALL_ARG3(regs) ((regs)->regs[3])
#define SYSCALL_ARG4(regs) ((regs)->regs[4])
#define SYSCALL_ARG5(regs) ((regs)->regs[5])

/* include/uapi/asm-generic/unistd.h; what the architecture does not have is negative */
enum {
	NR_poll = -2,
	NR_epoll_wait = -3,
	NR_epoll_pwait = 22,
	NR_fcntl = 25,
	NR_ioctl = 29,
	NR_flock = 32,
	NR_ftruncate = 46,
	NR_fallocate = 47,
	NR_close = 57,
	NR_getdents64 = 61,
	NR_read = 63,
	NR_write = 64,
	NR_readv = 65,
	NR_writev = 66,
	NR_pread64 = 67,
	NR_pwrite64 = 68,
	NR_preadv = 69,
	NR_pwritev = 70,
	NR_sendfile = 71,
	NR_ppoll = 73,
	NR_vmsplice = 75,
	NR_splice = 76,
	NR_tee = 77,
	NR_fsync = 82,
	NR_fdatasync = 83,
	NR_sync_file_range = 84,
	NR_exit = 93,
	NR_exit_group = 94,
	NR_futex = 98,
	NR_nanosleep = 101,
	NR_clock_nanosleep = 115,
	NR_kill = 129,
	NR_tkill = 130,
	NR_tgkill = 131,
	NR_rt_sigqueueinfo = 138,
	NR_accept = 202,
	NR_connect = 203,
	NR_sendto = 206,
	NR_recvfrom = 207,
	NR_shutdown = 210,
	NR_sendmsg = 211,
	NR_recvmsg = 212,
	NR_readahead = 213,
	NR_rt_tgsigqueueinfo = 240,
	NR_accept4 = 242,
	NR_recvmmsg = 243,
	NR_syncfs = 267,
	NR_sendmmsg = 269,
	NR_copy_file_range = 285,
	NR_preadv2 = 286,
	NR_pwritev2 = 287,
};

#endif

/* Same number on every architecture. */
enum {
	NR_pidfd_send_signal = 424,
	NR_io_uring_enter = 426,
	NR_epoll_pwait2 = 441,
	NR_futex_waitv = 449,
	NR_futex_wake = 454,
	NR_futex_wait = 455,
	NR_futex_requeue = 456,
};

/* True when the task is in a system call of another ABI, whose numbers mean something else (i386 on x86-64). */
static __always_inline bool in_foreign_syscall(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & TS_COMPAT;
#else
	return false;
#endif
}

/* True when the first argument is a descriptor of the thread's own table and the call can block on it. */
static __always_inline bool first_argument_is_fd(__s32 nr)
{
	switch (nr) {
	case NR_read:
	case NR_write:
	case NR_close:
	case NR_ioctl:
	case NR_pread64:
	case NR_pwrite64:
	case NR_readv:
	case NR_writev:
	case NR_sendfile:
	case NR_connect:
	case NR_accept:
	case NR_sendto:
	case NR_recvfrom:
	case NR_sendmsg:
	case NR_recvmsg:
	case NR_shutdown:
	case NR_fcntl:
	case NR_flock:
	case NR_fsync:
	case NR_fdatasync:
	case NR_ftruncate:
	case NR_readahead:
	case NR_getdents64:
	case NR_epoll_wait:
	case NR_splice:
	case NR_tee:
	case NR_sync_file_range:
	case NR_vmsplice:
	case NR_epoll_pwait:
	case NR_fallocate:
	case NR_accept4:
	case NR_preadv:
	case NR_pwritev:
	case NR_recvmmsg:
	case NR_syncfs:
	case NR_sendmmsg:
	case NR_copy_file_range:
	case NR_preadv2:
	case NR_pwritev2:
	case NR_io_uring_enter:
	case NR_epoll_pwait2:
		return true;
	default:
		return false;
	}
}

/* True when a thread in `nr` can send a signal or end, and so wake any interruptible wait. */
static __always_inline bool can_signal(__s32 nr)
{
	switch (nr) {
	case NR_exit:
	case NR_exit_group:
	case NR_kill:
	case NR_tkill:
	case NR_tgkill:
	case NR_rt_sigqueueinfo:
	case NR_rt_tgsigqueueinfo:
	case NR_pidfd_send_signal:
		return true;
	default:
		return false;
	}
}

static __always_inline bool is_futex(__s32 nr)
{
	return nr == NR_futex || (nr >= NR_futex_wake && nr <= NR_futex_requeue) || nr == NR_futex_waitv;
}

static __always_inline bool is_sleep(__s32 nr)
{
	return nr == NR_nanosleep || nr == NR_clock_nanosleep;
}

#endif /* KINDLING_SYSCALL_ABI_H */
