/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * TCP connections that are there already when the programs are attached, of all processes and network namespaces.
 *
 * Hook: iter/task_file (since 5.8), run twice by user space after the other programs were attached: first for the ports
 * that are listened on, which tell the servers' ends, then for the connections.
 * Emits: net_open_event (NET_OPEN_EXISTING) for each connection of a watched process.
 * Entries: `listeners`: inserted by the first run and never deleted; read by the second run only.
 */
#ifndef KINDLING_EXISTING_H
#define KINDLING_EXISTING_H

#include "connection.bpf.h"

struct listener {
	__u32 netns; /* inode number */
	__u32 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct listener);
	__type(value, __u8);
} listeners SEC(".maps");

/* The TCP socket behind the file, else NULL. */
static __always_inline struct sock *tcp_sock_of_file(struct file *file)
{
	struct socket *socket = file ? bpf_sock_from_file(file) : NULL;
	struct sock *sk = socket ? socket->sk : NULL;

	if (!sk || sk->sk_protocol != IPPROTO_TCP || !is_inet(sk->__sk_common.skc_family))
		return NULL;
	return sk;
}

static __always_inline struct listener local_end(const struct sock *sk)
{
	struct listener end = {
		.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum),
		.port = BPF_CORE_READ(sk, __sk_common.skc_num),
	};

	return end;
}

SEC("iter/task_file")
int find_listeners(struct bpf_iter__task_file *ctx)
{
	struct sock *sk = tcp_sock_of_file(ctx->file);
	struct listener end;
	__u8 listening = 1;

	if (!sk || sk->__sk_common.skc_state != TCP_LISTEN)
		return 0;
	end = local_end(sk);
	bpf_map_update_elem(&listeners, &end, &listening, BPF_ANY);
	return 0;
}

SEC("iter/task_file")
int adopt_connections(struct bpf_iter__task_file *ctx)
{
	struct sock *sk = tcp_sock_of_file(ctx->file);
	const struct capture_control *control;
	struct task_struct *task = ctx->task;
	struct socket_state *state;
	struct listener end;

	if (!sk || !task || sk->__sk_common.skc_state != TCP_ESTABLISHED || !selected_thread(task))
		return 0;
	state = socket_state_of(sk, true);
	if (!state) {
		count(STAT_NET_SOCKET_STATE_FULL);
		return 0;
	}
	/* It was opened, or has moved bytes, since the other programs were attached; or another process has it too. */
	if (state->opened || state->established)
		return 0;
	control = capture_control();
	state->cookie = bpf_get_socket_cookie(sk);
	remember_tuple(state, sk);
	if (!control || !may_record(state, control, &state->tuple))
		return 0;
	state->owner_tgid = task->tgid;
	state->owner_tid = task->pid;
	end = local_end(sk);
	/* The state's own role stays unknown, which says that the connection's first byte was not seen. */
	emit_open(state, sk, bpf_map_lookup_elem(&listeners, &end) ? NET_ROLE_SERVER : NET_ROLE_CLIENT,
		  NET_OPEN_EXISTING);
	return 0;
}

#endif /* KINDLING_EXISTING_H */
