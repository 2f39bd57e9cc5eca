/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What the ring buffer had no room for and a reader must still learn: how many turns a socket has had, and that it was
 * closed. A note is kept for each such socket until there is room (about once a second, see `flush_losses`).
 */
#ifndef KINDLING_LOSS_H
#define KINDLING_LOSS_H

#include "socket_state.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);		      /* socket cookie */
	__type(value, struct net_close_event); /* hdr.kind: EVENT_NET_CLOSE, or EVENT_NET_TURNS while the socket lives */
} loss_by_cookie SEC(".maps");

/* The socket's note, to be filled in; NULL when there is no room for it. */
static __always_inline struct net_close_event *note_of(const struct socket_state *state)
{
	static const struct net_close_event empty;
	struct net_close_event *note = bpf_map_lookup_elem(&loss_by_cookie, &state->cookie);

	if (note)
		return note;
	bpf_map_update_elem(&loss_by_cookie, &state->cookie, &empty, BPF_NOEXIST);
	note = bpf_map_lookup_elem(&loss_by_cookie, &state->cookie);
	if (!note)
		count(STAT_NET_LOSS_FORGOTTEN);
	return note;
}

static __always_inline void note_lost_turn(const struct socket_state *state)
{
	struct net_close_event *note = note_of(state);

	if (!note)
		return;
	note->hdr.kind = EVENT_NET_TURNS;
	note->socket_cookie = state->cookie;
	note->turns = state->turn;
	note->tgid = state->owner_tgid;
	note->tuple = state->tuple;
}

/* Writes one note's record and forgets it. Returns 1, which ends the walk, when there is still no room. */
static long flush_loss(struct bpf_map *map, __u64 *cookie, struct net_close_event *note, void *context)
{
	struct net_turns_event turns = {
		.hdr = { .kind = EVENT_NET_TURNS, .size = sizeof(turns), .time = bpf_ktime_get_ns() },
		.socket_cookie = note->socket_cookie,
		.turns = note->turns,
		.tgid = note->tgid,
		.tuple = note->tuple,
	};
	long error;

	if (note->hdr.kind == EVENT_NET_CLOSE)
		error = bpf_ringbuf_output(&events, note, sizeof(*note), BPF_RB_NO_WAKEUP);
	else
		error = bpf_ringbuf_output(&events, &turns, sizeof(turns), BPF_RB_NO_WAKEUP);
	if (error)
		return 1;
	count(STAT_NET_CONNECTION_EVENTS);
	bpf_map_delete_elem(&loss_by_cookie, cookie);
	return 0;
}

/* Run by user space (BPF_PROG_TEST_RUN, never attached). */
SEC("raw_tp")
int flush_losses(void *context)
{
	bpf_for_each_map_elem(&loss_by_cookie, flush_loss, NULL, 0);
	return 0;
}

#endif /* KINDLING_LOSS_H */
