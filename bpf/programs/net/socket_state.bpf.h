/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the net programs remember of one socket, whichever variant keeps it. Private to the kernel side. */
#ifndef KINDLING_SOCKET_STATE_H
#define KINDLING_SOCKET_STATE_H

#include "capture.bpf.h"

struct socket_state {
	mono_ns_t connect_start; /* SYN_SENT was entered; 0: not a client, or not seen */
	mono_ns_t established;	 /* 0: before the programs were attached */
	__u64 cookie;
	__u64 inode; /* of the socket's file; kept where nobody tells that a socket is gone, and its address is used again */
	__u32 turn;	 /* see net_data_event.turn */
	__u32 captured;	 /* payload bytes kept in this turn */
	__u32 send_end;	 /* TCP: stream position behind the last announced send */
	__u32 position[2]; /* not TCP: of the next operation, by enum net_direction */
	__u32 owner_tgid; /* last watched process that connected or moved data; 0: none */
	__u32 owner_tid;
	__u8 moved;	/* enum net_direction of the last bytes + 1; 0: none moved yet */
	__u8 role;	/* enum net_role */
	__u8 opened;	/* 1: net_open_event written, or nothing to write */
	__u8 has_tuple; /* 1: `tuple` holds both ends */
	__u8 ignored;	/* 1: never recorded, whatever the rules say */
	struct capture_rule rule; /* valid while rule_generation is capture_control.generation */
	__u32 rule_generation;
	struct socket_tuple tuple;
};

/*
 * Finds or creates the state of `sk`. Defined by each variant: socket storage needs a pointer that the verifier trusts,
 * which only the socket hooks give.
 */
static struct socket_state *socket_state_of(struct sock *sk, bool create);

static void socket_state_forget(struct sock *sk);

#endif /* KINDLING_SOCKET_STATE_H */
