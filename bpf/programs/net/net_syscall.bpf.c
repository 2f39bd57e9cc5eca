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
#include "message.bpf.h"

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

#include "existing.bpf.h"

static __always_inline bool is_tcp(const struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP && is_inet(BPF_CORE_READ(sk, __sk_common.skc_family));
}

#define MMSG_TOTAL 64 /* messages of one call whose lengths are added up */

/* True when the call moves bytes over the descriptor in its first argument. The order is that of frequency. */
static __always_inline bool moves_bytes(__s32 nr)
{
	switch (nr) {
	case NR_read:
	case NR_write:
	case NR_recvfrom:
	case NR_sendto:
	case NR_readv:
	case NR_writev:
	case NR_recvmsg:
	case NR_sendmsg:
	case NR_recvmmsg:
	case NR_sendmmsg:
	case NR_preadv2:
	case NR_pwritev2:
	case NR_sendfile:
		return true;
	default:
		return false;
	}
}

/* Bytes that the call has moved, over all its messages. */
static __always_inline __u32 total_length(struct pt_regs *regs, __s32 nr, __u32 result)
{
	__u64 messages = SYSCALL_ARG1(regs);
	__u32 total = 0;

	if (!is_multi_message(nr))
		return result;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < MMSG_TOTAL && i < result; i++)
		total += message_length(messages, i);
	return total;
}

/* What is the same for all messages of a call. Numbers only: see on_call_message(). */
struct call {
	__u64 sk;	/* address of struct sock */
	__u32 position; /* TCP: of the first byte */
	__s32 nr;
	__u32 family; /* enum message_family; MESSAGE_NONE: TCP */
	__u32 direction;
};

/*
 * One message of `length` bytes, the `index`th of the call.
 *
 * VERIFIER: a global function is verified once for itself, not again for every message of the loop that calls it. Its
 * arguments may be numbers and plain memory only, so it finds the socket and the thread by itself.
 */
__attribute__((noinline)) int on_call_message(const struct call *call, __u32 index, __u32 length)
{
	struct operation op = {};
	struct task_struct *task = bpf_get_current_task_btf();
	struct socket_state *state;
	struct thread_state *thread;
	struct socket_tuple *tuple;
	struct sock *sk;
	__u64 name;

	if (!call)
		return 0;
	sk = (struct sock *)call->sk;
	state = socket_state_of(sk, false);
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!state || !thread)
		return 0;
	op.direction = call->direction;
	op.length = length;
	describe_call(&op, (struct pt_regs *)bpf_task_pt_regs(task), call->nr, index, &name);
	if (call->family == MESSAGE_NONE) {
		op.position = call->position;
	} else {
		if (call->family == MESSAGE_UDP) {
			tuple = &thread->datagram;
			*tuple = state->tuple;
			if (tuple->remote_port == 0 && !read_peer_name(tuple, name))
				count(STAT_NET_PEER_UNKNOWN);
			if (!may_record_datagram(state, tuple))
				return 0;
			op.datagram = 1;
			op.tuple = tuple;
		}
		place_message(state, &op);
	}
	emit_data(task, state, sk, &op);
	return 0;
}

/* Nothing tells when a socket that is not TCP is gone; another one may have its address. */
static __always_inline void forget_former(struct task_struct *task, struct socket_state *state, __u32 fd)
{
	struct file *file = file_of_fd(task, fd);
	__u64 inode = BPF_CORE_READ(file, f_inode, i_ino);

	if (state->inode == inode)
		return;
	__builtin_memset(state, 0, sizeof(*state));
	state->inode = inode;
}

static __always_inline void prepare_message_socket(struct task_struct *task, struct socket_state *state, struct sock *sk,
						   enum message_family family)
{
	const struct capture_control *control = capture_control();

	if (!state->has_tuple && family == MESSAGE_UNIX)
		prepare_unix(state, sk, cookie_or_address(sk));
	if (!state->cookie)
		state->cookie = cookie_or_address(sk);
	/* UDP: it may be connected at any time, or again to somebody else. */
	if (!state->has_tuple || family == MESSAGE_UDP) {
		__u16 remote_port = state->tuple.remote_port;

		remember_tuple(state, sk);
		if (state->tuple.remote_port != remote_port)
			state->rule_generation = 0;
	}
	if (family == MESSAGE_UNIX && !state->opened && control && may_record(state, control, &state->tuple)) {
		const struct unix_sock *unix = (const struct unix_sock *)sk;
		struct sock *peer = BPF_CORE_READ(unix, peer);

		emit_unix(task, state, sk, peer ? cookie_or_address(peer) : 0);
	}
}

/* A failed call, or the end of a unix stream. */
static __always_inline void on_call_error(struct task_struct *task, struct socket_state *state,
					  enum message_family family, __u8 direction, int result)
{
	const struct capture_control *control = capture_control();

	if (family == MESSAGE_NONE || !control || !may_record(state, control, &state->tuple))
		return;
	if (family == MESSAGE_UNIX ? state->turn : result < 0)
		emit_error(task, state, &state->tuple, direction, -result);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_syscall_exit, struct pt_regs *regs, long returned)
{
	struct call call = { .nr = SYSCALL_NR(regs) };
	struct socket_state *state;
	struct task_struct *task;
	int result = returned;
	struct tcp_sock *tcp;
	__u32 messages = 1;
	struct sock *sk;

	/* The order is that of cost: most calls end at the first test, most others at the second. */
	if (!moves_bytes(call.nr) || is_retry(result))
		return 0;
	task = bpf_get_current_task_btf();
	if (!selected_thread(task) || in_foreign_syscall(task))
		return 0;
	sk = sock_of_fd(task, SYSCALL_ARG0(regs));
	if (!sk)
		return 0;
	call.sk = address_of(sk);
	call.family = message_family(BPF_CORE_READ(sk, __sk_common.skc_family), BPF_CORE_READ(sk, sk_protocol),
				     BPF_CORE_READ(sk, sk_type));
	call.direction = is_send_call(call.nr) ? NET_EGRESS : NET_INGRESS;
	if (call.family == MESSAGE_NONE) {
		if (result <= 0 || !is_tcp(sk))
			return 0;
	} else if (call.direction == NET_INGRESS && is_peek(regs, call.nr)) {
		return 0;
	}
	state = socket_state_of(sk, true);
	if (!state) {
		count(STAT_NET_SOCKET_STATE_FULL);
		return 0;
	}
	if (call.family != MESSAGE_NONE) {
		forget_former(task, state, SYSCALL_ARG0(regs));
		prepare_message_socket(task, state, sk, call.family);
	}
	if (result < 0 || (result == 0 && call.family != MESSAGE_UDP)) {
		on_call_error(task, state, call.family, call.direction, result);
		return 0;
	}
	if (call.family == MESSAGE_NONE) {
		__u32 moved = is_peek(regs, call.nr) ? 0 : total_length(regs, call.nr, result);

		tcp = (struct tcp_sock *)sk;
		if (call.direction == NET_EGRESS)
			call.position = BPF_CORE_READ(tcp, write_seq) - moved;
		else
			call.position = BPF_CORE_READ(tcp, copied_seq) - moved;
	}
	if (!is_multi_message(call.nr)) {
		on_call_message(&call, 0, result);
		return 0;
	}
	messages = result;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < MMSG_LIMIT && i < messages; i++) {
		__u32 length = message_length(SYSCALL_ARG1(regs), i);

		on_call_message(&call, i, length);
		call.position += length;
	}
	/* The rest is a gap in the socket's positions. */
	if (messages > MMSG_LIMIT && call.family == MESSAGE_UDP)
		state->position[call.direction ? 1 : 0] += messages - MMSG_LIMIT;
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_socket_state_change, struct sock *sk, int old_state, int new_state)
{
	return on_socket_state(sk, old_state, new_state);
}

char LICENSE[] SEC("license") = "GPL";
