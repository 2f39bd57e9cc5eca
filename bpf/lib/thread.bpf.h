/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the programs remember of one thread (map `threads`). Private to the kernel side. */
#ifndef KINDLING_THREAD_H
#define KINDLING_THREAD_H

#include "vmlinux.h"

#include "events.h"

struct thread_state {
	/* programs/selection */
	__u32 generation; /* of the rules that `selected` was decided under; 0: not decided */
	__u8 selected;

	/* programs/sched: the running interval, or the current wait while `off` is not 0 */
	__u8 iowait;
	__u8 fd_kind;
	__u8 preempted;
	mono_ns_t on;  /* last switch-in; 0: not seen */
	mono_ns_t off; /* switch-out of the current wait; 0: running */
	mono_ns_t wake;
	duration_ns_t on_before;
	__u64 args[3];
	__s32 syscall;
	__u16 state;
	__u16 open_reported; /* 1: the OPEN record of this wait was written */
	__u32 waker_tgid;
	__u32 waker_tid;
	__s32 waker_syscall;
	__u32 _pad;

	/* programs/net: the datagram, and the sendmmsg() or recvmmsg(), under way */
	struct socket_tuple datagram;
	__u64 messages; /* its array; 0: none */
	__u32 next_message;
	__u32 last_message_length;

	struct wait_socket socket; /* fd_kind == FD_SOCKET */
	struct wait_file file;	   /* fd_kind == FD_FILE or FD_BLOCK */
};

#endif /* KINDLING_THREAD_H */
