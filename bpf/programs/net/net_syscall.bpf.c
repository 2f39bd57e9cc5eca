// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Which bytes does which thread move over which TCP connection? Variant for kernels without the socket hooks (5.15 to
 * 6.15), at the price of a hook on every system call of the machine.
 *
 * Hooks: tp_btf/sys_exit (the arguments are still in the registers at exit, so that one hook does), in the context of
 *   the calling thread, without the socket's lock: when two threads move bytes in the same direction of one socket at
 *   the same time, positions may be off by the other's bytes. And tp_btf/inet_sock_set_state.
 *   Not seen: io_uring, splice, and the second and later messages of sendmmsg and recvmmsg. Times are those of the
 *   calls' ends. The payload is read from the caller's buffers after the call.
 * Emits: net_data_event, net_open_event, net_close_event.
 * Entries: `state_by_sock`: created at connect(), accept, or the first byte; deleted when the socket is closed. LRU
 *   bounds what is left of sockets that were closed while nothing was attached.
 */
#include "file.bpf.h"
#include "payload.bpf.h"
#include "syscall_abi.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64); /* address of struct sock */
	__type(value, struct socket_state);
} state_by_sock SEC(".maps");

static __always_inline struct socket_state *socket_state_of(struct sock *sk, bool create)
{
	__u64 key = address_of(sk);
	struct socket_state *state = bpf_map_lookup_elem(&state_by_sock, &key);

	if (!state && create) {
		struct socket_state empty = {};

		bpf_map_update_elem(&state_by_sock, &key, &empty, BPF_NOEXIST);
		state = bpf_map_lookup_elem(&state_by_sock, &key);
	}
	return state;
}

static __always_inline void socket_state_forget(struct sock *sk)
{
	__u64 key = address_of(sk);

	bpf_map_delete_elem(&state_by_sock, &key);
}

/* User ABI: include/linux/socket.h, struct user_msghdr */
struct user_msghdr {
	void *name;
	int name_length;
	struct iovec *segments;
	size_t segment_count;
};

struct user_mmsghdr {
	struct user_msghdr header;
	unsigned int length;
};

#define MSG_PEEK 2

/* Points `op` at the segments of a user-space message header. */
static __always_inline void locate_message(struct operation *op, __u64 address)
{
	struct user_msghdr header;

	if (bpf_probe_read_user(&header, sizeof(header), (const void *)address))
		return;
	op->kind = PAYLOAD_SEGMENTS;
	op->segments = header.segments;
	op->segment_count = header.segment_count;
}

/* True when `nr` moves bytes over a descriptor; fills `op` but for its position. `result` is positive. */
static __always_inline bool describe_operation(struct operation *op, struct pt_regs *regs, __s32 nr, long result)
{
	__u64 buffer = SYSCALL_ARG1(regs);

	op->length = result;
	op->kind = PAYLOAD_NONE;
	op->user_segments = 1;
	switch (nr) {
	case NR_write:
	case NR_sendto:
		op->direction = NET_EGRESS;
		op->kind = PAYLOAD_FLAT;
		op->base = buffer;
		return true;
	case NR_read:
	case NR_recvfrom:
		op->direction = NET_INGRESS;
		op->kind = PAYLOAD_FLAT;
		op->base = buffer;
		return true;
	case NR_writev:
	case NR_pwritev2:
	case NR_readv:
	case NR_preadv2:
		op->direction = nr == NR_writev || nr == NR_pwritev2 ? NET_EGRESS : NET_INGRESS;
		op->kind = PAYLOAD_SEGMENTS;
		op->segments = (const struct iovec *)buffer;
		op->segment_count = SYSCALL_ARG2(regs);
		return true;
	case NR_sendmsg:
	case NR_recvmsg:
		op->direction = nr == NR_sendmsg ? NET_EGRESS : NET_INGRESS;
		locate_message(op, buffer);
		return true;
	case NR_sendmmsg:
	case NR_recvmmsg: {
		struct user_mmsghdr first;

		/* `result` counts messages; the kernel wrote the bytes of each beside its header. */
		if (bpf_probe_read_user(&first, sizeof(first), (const void *)buffer) || first.length == 0)
			return false;
		op->direction = nr == NR_sendmmsg ? NET_EGRESS : NET_INGRESS;
		op->length = first.length;
		locate_message(op, buffer);
		return true;
	}
	case NR_sendfile:
		op->direction = NET_EGRESS;
		op->flags = NET_DATA_NO_MEMORY;
		return true;
	default:
		return false;
	}
}

static __always_inline bool is_peek(struct pt_regs *regs, __s32 nr)
{
	if (nr == NR_recvfrom)
		return SYSCALL_ARG3(regs) & MSG_PEEK;
	if (nr == NR_recvmsg)
		return SYSCALL_ARG2(regs) & MSG_PEEK;
	return false;
}

/* The TCP socket behind a descriptor of the current task, else NULL. Only probe reads may touch it. */
static __always_inline struct sock *tcp_sock_of_fd(struct task_struct *task, __u32 fd)
{
	struct file *file = file_of_fd(task, fd);
	struct sock *sk;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	sk = sock_of_file(file);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP || !is_inet(BPF_CORE_READ(sk, __sk_common.skc_family)))
		return NULL;
	return sk;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_syscall_exit, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct operation op = {};
	struct socket_state *state;
	struct tcp_sock *tcp;
	struct sock *sk;
	__s32 nr;

	if (result <= 0)
		return 0;
	nr = SYSCALL_NR(regs);
	/* The order is that of cost: most calls end at the first test, most others at the second. */
	if (!describe_operation(&op, regs, nr, result) || !selected_thread(task) || in_foreign_syscall(task))
		return 0;
	sk = tcp_sock_of_fd(task, SYSCALL_ARG0(regs));
	if (!sk)
		return 0;
	state = socket_state_of(sk, true);
	if (!state) {
		count(STAT_NET_SOCKET_STATE_FULL);
		return 0;
	}
	tcp = (struct tcp_sock *)sk;
	if (op.direction == NET_EGRESS)
		op.position = BPF_CORE_READ(tcp, write_seq) - op.length;
	else
		op.position = BPF_CORE_READ(tcp, copied_seq) - (is_peek(regs, nr) ? 0 : op.length);
	emit_data(task, state, sk, &op);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_socket_state_change, struct sock *sk, int old_state, int new_state)
{
	return on_socket_state(sk, old_state, new_state);
}

char LICENSE[] SEC("license") = "GPL";
