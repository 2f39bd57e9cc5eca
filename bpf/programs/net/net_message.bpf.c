// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Which datagrams and which bytes of unix sockets does which thread move? Beside net_socket, for all that is not TCP.
 *
 * Hooks: tp_btf/sock_send_length and tp_btf/sock_recv_length (since 6.3; net/socket.c, in the caller's context after
 *   the bytes were moved, on every path: system calls, io_uring, splice). TCP leaves them after two comparisons. The
 *   payload is then in the caller's memory, where the registers of its system call say: io_uring's is not found.
 *   cgroup/recvmsg4 and recvmsg6 (since 5.2, at the root of the control groups; in the receiver's context, for UDP and
 *   for callers that ask who sent only) tell the sender of a datagram on an unconnected socket; they run just before
 *   sock_recv_length and always let the datagram pass.
 * Emits: net_unix_event, net_data_event, net_error_event.
 * Entries: `state_by_socket` is socket storage, freed with the socket. `peer_by_thread`: written by recvmsg4/6,
 *   deleted by the next receive of the same thread; LRU bounds what is left of threads that ended in between.
 */
#include "message.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_state);
} state_by_socket SEC(".maps");

static __always_inline struct socket_state *socket_state_of(struct sock *sk, bool create)
{
	return bpf_sk_storage_get(&state_by_socket, sk, NULL, create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}

static __always_inline void socket_state_forget(struct sock *sk)
{
	bpf_sk_storage_delete(&state_by_socket, sk);
}

struct datagram_peer {
	__u64 cookie; /* of the receiving socket */
	__u8 address[16];
	__u16 port;
	__u16 family;
	__u32 _pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* pid_tgid */
	__type(value, struct datagram_peer);
} peer_by_thread SEC(".maps");

static __always_inline int note_peer(struct bpf_sock_addr *ctx, const __u8 *address, __u16 family)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct datagram_peer peer = {
		.cookie = bpf_get_socket_cookie(ctx),
		.port = bpf_ntohs((__u16)ctx->user_port),
		.family = family,
	};

	__builtin_memcpy(peer.address, address, 16);
	bpf_map_update_elem(&peer_by_thread, &thread, &peer, BPF_ANY);
	return 1; /* the datagram passes */
}

SEC("cgroup/recvmsg4")
int on_receive_from4(struct bpf_sock_addr *ctx)
{
	__u8 address[16];

	write_mapped(address, ctx->user_ip4);
	return note_peer(ctx, address, AF_INET);
}

SEC("cgroup/recvmsg6")
int on_receive_from6(struct bpf_sock_addr *ctx)
{
	__u32 address[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	return note_peer(ctx, (const __u8 *)address, is_mapped((const __u8 *)address) ? AF_INET : AF_INET6);
}

/* The sender that recvmsg4/6 has noted for the current thread and this socket. */
static __always_inline bool take_peer(struct socket_tuple *tuple, __u64 cookie)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct datagram_peer *peer = bpf_map_lookup_elem(&peer_by_thread, &thread);
	bool ours;

	if (!peer)
		return false;
	ours = peer->cookie == cookie;
	if (ours) {
		__builtin_memcpy(tuple->remote_address, peer->address, 16);
		tuple->remote_port = peer->port;
		tuple->family = peer->family;
	}
	bpf_map_delete_elem(&peer_by_thread, &thread);
	return ours;
}

/*
 * Which message of a sendmmsg() or recvmmsg() is being moved: the kernel moves them one by one, so the one after the
 * last of the same call. A new call begins at 0; it is told from the old one by the array, by the array's end, by an
 * error, and by the thread's having made another call in between.
 */
static __always_inline __u32 message_index(struct thread_state *thread, struct pt_regs *regs, __s32 nr, int result)
{
	__u64 messages = SYSCALL_ARG1(regs);
	__u32 count = SYSCALL_ARG2(regs), index = 0;

	if (!is_multi_message(nr)) {
		thread->messages = 0;
		return 0;
	}
	if (thread->messages == messages && thread->next_message < count &&
	    message_length(messages, thread->next_message - 1) == thread->last_message_length)
		index = thread->next_message;
	thread->messages = result >= 0 ? messages : 0;
	thread->next_message = index + 1;
	thread->last_message_length = result;
	return index;
}

/* Where the payload is; leaves PAYLOAD_NONE when the current system call does not say. Returns the peer's name. */
static __always_inline __u64 locate_payload(struct operation *op, struct task_struct *task, struct thread_state *thread,
					    struct sock *sk, int result)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__s32 nr = SYSCALL_NR(regs);
	__u64 name = 0;
	__u32 index;

	op->kind = PAYLOAD_NONE;
	op->flags = NET_DATA_NO_MEMORY;
	index = message_index(thread, regs, nr, result);
	if (result < 0 || in_foreign_syscall(task) || is_send_call(nr) != op->direction)
		return 0;
	/* With a timeout a call may end before its array does, and nobody tells. */
	if (nr == NR_recvmmsg && SYSCALL_ARG4(regs))
		return 0;
	/* A write to a file may make the kernel use a socket of its own. */
	if ((nr == NR_read || nr == NR_write || nr == NR_readv || nr == NR_writev) &&
	    sock_of_fd(task, SYSCALL_ARG0(regs)) != sk)
		return 0;
	op->flags = 0;
	if (!describe_call(op, regs, nr, index, &name))
		op->flags = NET_DATA_NO_MEMORY;
	return name;
}

static __always_inline int on_datagram(struct task_struct *task, struct thread_state *thread, struct sock *sk, int result,
				       struct operation *op)
{
	struct socket_state *state = socket_state_of(sk, true);
	struct socket_tuple *tuple = &thread->datagram;
	__u16 remote_port;
	__u64 name;

	if (!state) {
		count(STAT_NET_SOCKET_STATE_FULL);
		return 0;
	}
	if (!state->cookie)
		state->cookie = bpf_get_socket_cookie(sk);
	remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	/* It may be connected at any time, or again to somebody else. */
	if (!state->has_tuple || state->tuple.remote_port != remote_port ||
	    state->tuple.local_port != sk->__sk_common.skc_num) {
		remember_tuple(state, sk);
		state->rule_generation = 0;
	}
	if (remote_port && !may_record_datagram(state, &state->tuple))
		return 0;
	*tuple = state->tuple;
	name = locate_payload(op, task, thread, sk, result);
	if (!remote_port) {
		bool known = op->direction == NET_EGRESS ? read_peer_name(tuple, name) : take_peer(tuple, state->cookie);

		if (!known && result >= 0)
			count(STAT_NET_PEER_UNKNOWN);
	}
	if (!may_record_datagram(state, tuple))
		return 0;
	if (result < 0) {
		emit_error(task, state, tuple, op->direction, -result);
		return 0;
	}
	op->datagram = 1;
	op->length = result;
	op->tuple = tuple;
	place_message(state, op);
	emit_data(task, state, sk, op);
	return 0;
}

static __always_inline int on_unix(struct task_struct *task, struct thread_state *thread, struct sock *sk, int result,
				   struct operation *op)
{
	struct socket_state *state = socket_state_of(sk, true);
	const struct capture_control *control = capture_control();
	struct unix_sock *unix;

	if (!state || !control) {
		count(STAT_NET_SOCKET_STATE_FULL);
		return 0;
	}
	if (!state->has_tuple)
		prepare_unix(state, sk, bpf_get_socket_cookie(sk));
	if (!may_record(state, control, &state->tuple))
		return 0;
	if (result <= 0) {
		/* An end without a beginning says nothing. */
		if (state->turn)
			emit_error(task, state, &state->tuple, op->direction, -result);
		return 0;
	}
	if (!state->opened) {
		unix = bpf_skc_to_unix_sock(sk);
		emit_unix(task, state, sk, unix ? bpf_get_socket_cookie(unix->peer) : 0);
	}
	locate_payload(op, task, thread, sk, result);
	op->length = result;
	place_message(state, op);
	emit_data(task, state, sk, op);
	return 0;
}

static __always_inline int on_message(struct sock *sk, int result, int flags, __u8 direction)
{
	enum message_family family;
	struct operation op = { .direction = direction };
	struct thread_state *thread;
	struct task_struct *task;

	if (is_inet(sk->__sk_common.skc_family) && sk->sk_protocol == IPPROTO_TCP)
		return 0;
	family = message_family(sk->__sk_common.skc_family, sk->sk_protocol, sk->sk_type);
	/* A peek moves nothing; what it saw is seen when it is read. */
	if (family == MESSAGE_NONE || (direction == NET_INGRESS && flags & MSG_PEEK))
		return 0;
	task = bpf_get_current_task_btf();
	thread = selected_thread(task);
	if (!thread)
		return 0;
	if (is_retry(result)) {
		thread->messages = 0;
		return 0;
	}
	if (family == MESSAGE_UDP)
		return on_datagram(task, thread, sk, result, &op);
	return on_unix(task, thread, sk, result, &op);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_message_sent, struct sock *sk, int result)
{
	return on_message(sk, result, 0, NET_EGRESS);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_message_received, struct sock *sk, int result, int flags)
{
	return on_message(sk, result, flags, NET_INGRESS);
}

char LICENSE[] SEC("license") = "GPL";
