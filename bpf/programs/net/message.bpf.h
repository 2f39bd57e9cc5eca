/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Operations on sockets that are not TCP: UDP datagrams, and the bytes of unix stream sockets. Shared by both variants,
 * which differ in where they learn of an operation.
 */
#ifndef KINDLING_MESSAGE_H
#define KINDLING_MESSAGE_H

#include "user_call.bpf.h"

#define EAGAIN 11
#define EINTR 4
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516

const volatile bool unix_sockets = true; /* false: unix sockets are left alone */

enum message_family {
	MESSAGE_NONE,
	MESSAGE_UDP,
	MESSAGE_UNIX,
};

/* Unix sockets that carry datagrams are left alone: they are logs and notifications, no exchanges. */
static __always_inline enum message_family message_family(__u16 family, __u16 protocol, __u16 type)
{
	if (is_inet(family))
		return protocol == IPPROTO_UDP ? MESSAGE_UDP : MESSAGE_NONE;
	return unix_sockets && family == AF_UNIX && type == SOCK_STREAM ? MESSAGE_UNIX : MESSAGE_NONE;
}

/* Nothing has failed: there was nothing to do, or the call was interrupted and may start again. */
static __always_inline bool is_retry(int result)
{
	return result == -EAGAIN || result == -EINTR || (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK);
}

/* The name of the listener that connected `sk` and its peer; NULL for the two ends of a socketpair(). */
static __always_inline struct unix_address *unix_name(const struct unix_sock *sk)
{
	struct unix_address *name = BPF_CORE_READ(sk, addr);
	const struct unix_sock *peer;

	if (name)
		return name;
	peer = (const struct unix_sock *)BPF_CORE_READ(sk, peer);
	return peer ? BPF_CORE_READ(peer, addr) : NULL;
}

/* Path of the listener behind `sk` or its peer; says which end `sk` is. */
static __always_inline void read_unix_name(struct net_unix_event *event, const struct unix_sock *sk)
{
	struct unix_address *name = unix_name(sk);
	__u32 length;

	if (!name)
		return;
	event->role = name == BPF_CORE_READ(sk, addr) ? NET_ROLE_SERVER : NET_ROLE_CLIENT;
	/* `len` counts the family, and the NUL at the end of a path. */
	length = BPF_CORE_READ(name, len) - 2;
	opaque(length);
	if (length == 0 || length > 108)
		return;
	if (!bpf_probe_read_kernel(event->path, length, (const char *)name + bpf_core_field_offset(name->name) + 2))
		event->path_length = length;
}

static __always_inline void emit_unix(struct task_struct *task, struct socket_state *state, const struct sock *sk,
				      __u64 peer_cookie)
{
	struct net_unix_event *event;

	state->opened = 1;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(STAT_NET_CONNECTION_RING_FULL);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->hdr.kind = EVENT_NET_UNIX;
	event->hdr.size = sizeof(*event);
	event->hdr.time = bpf_ktime_get_ns();
	event->tgid = task->tgid;
	event->tid = task->pid;
	event->socket_cookie = state->cookie;
	event->peer_cookie = peer_cookie;
	event->peer_tgid = BPF_CORE_READ(sk, sk_peer_pid, numbers[0].nr);
	read_unix_name(event, (const struct unix_sock *)sk);
	state->role = event->role;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	count(STAT_NET_CONNECTION_EVENTS);
}

/*
 * Readies the state of a unix socket at its first operation. Pairs without a name are ignored: they are pipes between
 * parent and child, which carry text and no exchanges.
 */
static __always_inline void prepare_unix(struct socket_state *state, const struct sock *sk, __u64 cookie)
{
	state->cookie = cookie;
	remember_tuple(state, sk);
	state->ignored = unix_name((const struct unix_sock *)sk) == NULL;
}

/* `error`: errno, or 0 for the end of a stream. */
static __always_inline void emit_error(struct task_struct *task, const struct socket_state *state,
				       const struct socket_tuple *tuple, __u8 direction, int error)
{
	struct net_error_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		count(STAT_NET_CONNECTION_RING_FULL);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->hdr.kind = EVENT_NET_ERROR;
	event->hdr.size = sizeof(*event);
	event->hdr.time = bpf_ktime_get_ns();
	event->tgid = task->tgid;
	event->tid = task->pid;
	event->socket_cookie = state->cookie;
	event->error = error;
	event->direction = direction;
	event->tuple = *tuple;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	count(STAT_NET_CONNECTION_EVENTS);
}

/* Takes the place of the operation in its stream, or its number among the datagrams. */
static __always_inline void place_message(struct socket_state *state, struct operation *op)
{
	__u32 *position = &state->position[op->direction ? 1 : 0];

	op->position = *position;
	*position += op->datagram ? 1 : op->length;
}

/*
 * May datagrams of this tuple be recorded? A connected socket's rule is kept in its state; the peer of an unconnected
 * one may be another in each message.
 */
static __always_inline bool may_record_datagram(struct socket_state *state, const struct socket_tuple *tuple)
{
	const struct capture_control *control = capture_control();

	if (!control)
		return false;
	if (state->tuple.remote_port == 0 && state->rule_generation == control->generation) {
		state->rule = rule_of_ports(tuple, CAPTURE_NOTHING);
		return state->rule.head_bytes != CAPTURE_NOTHING;
	}
	return may_record(state, control, tuple);
}

#endif /* KINDLING_MESSAGE_H */
