/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Connections: who opened them, when, and what they had carried at the end.
 *
 * Hook: tp_btf/inet_sock_set_state (since 4.16). SYN_SENT is entered by the thread in connect(); all other changes may
 * come from a softirq, where the current task has nothing to do with the socket.
 *
 * A client's open record is written when the handshake ends, for watched threads only. An accepted connection has no
 * owner then: its open record is held back until a watched thread moves the first byte, so connections of processes
 * that are not watched, and accepted ones that never carry data, leave no records at all.
 */
#ifndef KINDLING_CONNECTION_H
#define KINDLING_CONNECTION_H

#include "loss.bpf.h"
#include "selection.bpf.h"
#include "socket_state.bpf.h"

/* Payload bytes kept per turn and direction where no rule says otherwise. At most CAPTURE_MAX. */
const volatile __u32 capture_bytes = 1024;

static __always_inline const struct capture_control *capture_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&capture, &zero);
}

/* Brings the socket's rule up to date. Returns whether anything may be recorded of it. */
static __always_inline bool may_record(struct socket_state *state, const struct capture_control *control,
				       const struct socket_tuple *tuple)
{
	const struct capture_rule *own;

	if (state->ignored)
		return false;
	if (state->rule_generation != control->generation) {
		state->rule = rule_of_ports(tuple, tuple->protocol == IPPROTO_UDP ? CAPTURE_NOTHING : capture_bytes);
		own = bpf_map_lookup_elem(&rule_by_cookie, &state->cookie);
		if (own)
			state->rule = *own;
		state->rule_generation = control->generation;
	}
	return state->rule.head_bytes != CAPTURE_NOTHING;
}

static __always_inline void emit_open(struct socket_state *state, const struct sock *sk, __u8 role, __u16 flags)
{
	struct net_open_event *event;

	state->opened = 1;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(STAT_NET_CONNECTION_RING_FULL);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->hdr.kind = EVENT_NET_OPEN;
	event->hdr.flags = flags;
	event->hdr.size = sizeof(*event);
	event->hdr.time = flags & NET_OPEN_EXISTING ? bpf_ktime_get_ns() : state->established;
	event->tgid = state->owner_tgid;
	event->tid = state->owner_tid;
	event->socket_cookie = state->cookie;
	event->connect_start = state->connect_start;
	event->tuple = state->tuple;
	event->role = role;
	event->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	count(STAT_NET_CONNECTION_EVENTS);
}

/* The kernel counts the peer's FIN as a received byte; SOCK_DONE says that it came (net/ipv4/tcp_input.c, tcp_fin). */
static __always_inline bool fin_received(const struct sock *sk)
{
	return (BPF_CORE_READ(sk, __sk_common.skc_flags) >> bpf_core_enum_value(enum sock_flags, SOCK_DONE)) & 1;
}

static __always_inline void fill_close(struct net_close_event *event, const struct sock *sk,
				       const struct socket_state *state, __u32 old_state)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sk;

	event->hdr.kind = EVENT_NET_CLOSE;
	event->hdr.flags = 0;
	event->hdr.size = sizeof(*event);
	event->hdr.time = bpf_ktime_get_ns();
	event->socket_cookie = state->cookie;
	event->bytes_sent = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans);
	event->bytes_received = BPF_CORE_READ(tcp, bytes_received) - fin_received(sk);
	event->turns = state->turn;
	event->error = BPF_CORE_READ(sk, sk_err);
	event->tuple = state->tuple;
	event->tgid = state->owner_tgid;
	event->old_state = old_state;
	event->connect_start = state->connect_start;
	event->tid = state->owner_tid;
	event->_pad = 0;
}

static __always_inline void emit_close(const struct sock *sk, const struct socket_state *state, __u32 old_state)
{
	struct net_close_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (event) {
		fill_close(event, sk, state, old_state);
		bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
		count(STAT_NET_CONNECTION_EVENTS);
		return;
	}
	count(STAT_NET_CONNECTION_RING_FULL);
	event = note_of(state);
	if (event)
		fill_close(event, sk, state, old_state);
}

static __always_inline void remember_tuple(struct socket_state *state, const struct sock *sk)
{
	read_tuple(&state->tuple, sk);
	state->has_tuple = 1;
}

/* In the thread that calls connect(); the local port is not chosen yet. */
static __always_inline void on_connecting(struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct socket_state *state;

	if (!selected_thread(task))
		return;
	state = socket_state_of(sk, true);
	if (!state) {
		count(STAT_NET_SOCKET_STATE_FULL);
		return;
	}
	state->cookie = bpf_get_socket_cookie(sk);
	state->connect_start = bpf_ktime_get_ns();
	state->role = NET_ROLE_CLIENT;
	state->owner_tgid = task->tgid;
	state->owner_tid = task->pid;
	read_tuple(&state->tuple, sk);
}

static __always_inline void on_established(struct sock *sk, int old_state)
{
	const struct capture_control *control;
	bool accepted = old_state == TCP_SYN_RECV;
	struct socket_state *state = socket_state_of(sk, accepted);

	if (!state) {
		if (accepted)
			count(STAT_NET_SOCKET_STATE_FULL);
		return;
	}
	state->cookie = bpf_get_socket_cookie(sk);
	state->established = bpf_ktime_get_ns();
	remember_tuple(state, sk);
	if (state->role != NET_ROLE_CLIENT) {
		state->role = NET_ROLE_SERVER;
		return;
	}
	control = capture_control();
	if (control && may_record(state, control, &state->tuple))
		emit_open(state, sk, state->role, 0);
}

static __always_inline int on_socket_state(struct sock *sk, int old_state, int new_state)
{
	const struct capture_control *control;
	struct socket_state *state;

	if (sk->sk_protocol != IPPROTO_TCP || !is_inet(sk->__sk_common.skc_family))
		return 0;
	switch (new_state) {
	case TCP_SYN_SENT:
		on_connecting(sk);
		break;
	case TCP_ESTABLISHED:
		on_established(sk, old_state);
		break;
	case TCP_CLOSE:
		state = socket_state_of(sk, false);
		if (!state)
			break;
		control = capture_control();
		/* A connection that was silenced later has turns, and its end is told. */
		if (state->owner_tgid && control && (state->turn || may_record(state, control, &state->tuple)))
			emit_close(sk, state, old_state);
		socket_state_forget(sk);
		break;
	}
	return 0;
}

#endif /* KINDLING_CONNECTION_H */
