/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Which bytes of user memory does the current system call move over its socket, and whom do they come from or go to?
 * Read from the registers with which the thread entered the kernel. Valid from the moment the bytes were copied until
 * the call returns; `result` is what the kernel moved.
 */
#ifndef KINDLING_USER_CALL_H
#define KINDLING_USER_CALL_H

#include "file.bpf.h"
#include "payload.bpf.h"
#include "syscall_abi.bpf.h"

/* User ABI: include/linux/socket.h, struct user_msghdr */
struct user_msghdr {
	void *name;
	int name_length;
	struct iovec *segments;
	size_t segment_count;
	void *control;
	size_t control_length;
	unsigned int flags;
};

struct user_mmsghdr {
	struct user_msghdr header;
	unsigned int length;
};

/* User ABI: struct sockaddr_in and sockaddr_in6, as far as they are the same, and then apart. */
struct user_sockaddr {
	__u16 family;
	__be16 port;
	__be32 address; /* IPv6: flow label */
	__u8 address6[16];
};

#define MSG_PEEK 2
#define MMSG_LIMIT 8 /* messages of one sendmmsg() or recvmmsg() that are looked at; the rest is counted */

/* Points `op` at the segments of a user-space message header, and `name` at its address. */
static __always_inline void locate_message(struct operation *op, __u64 address, __u64 *name)
{
	struct user_msghdr header;

	if (bpf_probe_read_user(&header, sizeof(header), (const void *)address))
		return;
	op->kind = PAYLOAD_SEGMENTS;
	op->segments = header.segments;
	op->segment_count = header.segment_count;
	*name = (__u64)header.name;
}

/* True for calls that move several messages; `index` of describe_call() means something for them only. */
static __always_inline bool is_multi_message(__s32 nr)
{
	return nr == NR_sendmmsg || nr == NR_recvmmsg;
}

static __always_inline bool is_send_call(__s32 nr)
{
	return nr == NR_write || nr == NR_sendto || nr == NR_writev || nr == NR_pwritev2 || nr == NR_sendmsg ||
	       nr == NR_sendmmsg || nr == NR_sendfile;
}

/*
 * Fills where the bytes of `op` are, and `name`: the address in user memory of the peer's address, 0 for none.
 * False when `nr` moves no bytes over a descriptor, or in the other direction than `op`.
 */
static __always_inline bool describe_call(struct operation *op, struct pt_regs *regs, __s32 nr, __u32 index, __u64 *name)
{
	__u64 buffer = SYSCALL_ARG1(regs);

	op->kind = PAYLOAD_NONE;
	op->user_segments = 1;
	*name = 0;
	switch (nr) {
	case NR_sendto:
	case NR_recvfrom:
		*name = SYSCALL_ARG4(regs);
		/* fall through */
	case NR_write:
	case NR_read:
		op->kind = PAYLOAD_FLAT;
		op->base = buffer;
		break;
	case NR_writev:
	case NR_pwritev2:
	case NR_readv:
	case NR_preadv2:
		op->kind = PAYLOAD_SEGMENTS;
		op->segments = (const struct iovec *)buffer;
		op->segment_count = SYSCALL_ARG2(regs);
		break;
	case NR_sendmsg:
	case NR_recvmsg:
		locate_message(op, buffer, name);
		break;
	case NR_sendmmsg:
	case NR_recvmmsg:
		locate_message(op, buffer + index * sizeof(struct user_mmsghdr), name);
		break;
	case NR_sendfile:
	case NR_splice:
		op->flags |= NET_DATA_NO_MEMORY;
		break;
	default:
		return false;
	}
	return true;
}

/* Length that the kernel has written beside message `index` of sendmmsg() or recvmmsg(); 0 when not yet. */
static __always_inline __u32 message_length(__u64 messages, __u32 index)
{
	const struct user_mmsghdr *message = (const void *)(messages + index * sizeof(struct user_mmsghdr));
	__u32 length = 0;

	bpf_probe_read_user(&length, sizeof(length), &message->length);
	return length;
}

/* Takes the remote end of `tuple` from a socket address in user memory. False when there is none. */
static __always_inline bool read_peer_name(struct socket_tuple *tuple, __u64 name)
{
	struct user_sockaddr address = {};

	if (!name || bpf_probe_read_user(&address, 8, (const void *)name))
		return false;
	if (address.family == AF_INET) {
		write_mapped(tuple->remote_address, address.address);
		tuple->family = AF_INET;
	} else if (address.family == AF_INET6) {
		if (bpf_probe_read_user(&address, sizeof(address), (const void *)name))
			return false;
		__builtin_memcpy(tuple->remote_address, address.address6, 16);
		tuple->family = is_mapped(tuple->remote_address) ? AF_INET : AF_INET6;
	} else {
		return false;
	}
	tuple->remote_port = bpf_ntohs(address.port);
	return true;
}

static __always_inline bool is_peek(struct pt_regs *regs, __s32 nr)
{
	if (nr == NR_recvfrom || nr == NR_recvmmsg)
		return SYSCALL_ARG3(regs) & MSG_PEEK;
	if (nr == NR_recvmsg)
		return SYSCALL_ARG2(regs) & MSG_PEEK;
	return false;
}

/* The socket behind a descriptor of the current task, else NULL. Only probe reads may touch it. */
static __always_inline struct sock *sock_of_fd(struct task_struct *task, __u32 fd)
{
	struct file *file = file_of_fd(task, fd);

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	return sock_of_file(file);
}

#endif /* KINDLING_USER_CALL_H */
