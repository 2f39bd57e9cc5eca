/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * One operation of a thread on a socket becomes one net_data_event, with as much payload as the turn's budget
 * allows. Shared by both variants, which differ only in where the operation is seen and where its bytes are.
 */
#ifndef KINDLING_PAYLOAD_H
#define KINDLING_PAYLOAD_H

#include "connection.bpf.h"

#define CAPTURE_SMALL 256
#define CAPTURE_MEDIUM 1024
#define CAPTURE_MAX 4096

#define MAX_SEGMENTS 16 /* parts of one writev() that are looked at; Node writes four per chunk */

/* VERIFIER: keeps the compiler from folding a bound it has proved itself but the verifier has not seen. */
#define opaque(value) asm volatile("" : "+r"(value))

enum payload_kind {
	PAYLOAD_NONE,	  /* not in memory that can be read */
	PAYLOAD_FLAT,	  /* one range of user memory */
	PAYLOAD_SEGMENTS, /* struct iovec[] */
	PAYLOAD_SKB,	  /* a socket buffer */
};

struct operation {
	__u32 position;
	__u32 length;
	__u8 direction; /* enum net_direction */
	__u8 kind;	/* enum payload_kind */
	__u8 user_segments; /* the iovec array itself is in user memory too */
	__u8 datagram;	/* `tuple` is that of this message, which is a turn of its own */
	__u16 flags;	/* enum net_data_flags */
	__u32 offset;	/* FLAT, SEGMENTS: unused; SKB: of the first byte in the buffer */
	__u64 base;	/* FLAT: address */
	__u64 skip;	/* SEGMENTS: bytes of the first one that are done already */
	const struct iovec *segments;
	__u64 segment_count;
	struct bpf_dynptr *skb;
	const struct socket_tuple *tuple; /* NULL: the socket's */
};

static __always_inline int read_segment(const struct operation *op, __u64 index, struct iovec *out)
{
	const struct iovec *segment = op->segments + index;

	/* The layout of struct iovec is user ABI: no relocation needed. */
	if (op->user_segments)
		return bpf_probe_read_user(out, sizeof(*out), segment);
	return bpf_probe_read_kernel(out, sizeof(*out), segment);
}

/* Turns SEGMENTS whose first segment holds all that is wanted into FLAT, the cheaper case and the usual one. */
static __always_inline void flatten(struct operation *op, __u32 want)
{
	struct iovec first;

	if (op->kind != PAYLOAD_SEGMENTS || read_segment(op, 0, &first))
		return;
	if (first.iov_len >= op->skip && first.iov_len - op->skip >= want) {
		op->kind = PAYLOAD_FLAT;
		op->base = (__u64)first.iov_base + op->skip;
	}
}

/*
 * Copies up to `want` bytes of the first MAX_SEGMENTS segments to `out`. Returns the count.
 *
 * VERIFIER: it bounds the place and the size of a copy apart from each other, not their sum; so `out` has room for
 * twice the capacity, of which the second half is never used.
 */
static __always_inline __u32 gather(char *out, const __u32 capacity, __u32 want, const struct operation *op)
{
	__u64 skip = op->skip;
	__u32 done = 0;

	for (__u32 i = 0; i < MAX_SEGMENTS && i < op->segment_count && done < want; i++) {
		__u32 size = want - done;
		struct iovec segment;

		if (read_segment(op, i, &segment))
			break;
		if (segment.iov_len <= skip) {
			skip -= segment.iov_len;
			continue;
		}
		if (size > segment.iov_len - skip)
			size = segment.iov_len - skip;
		opaque(size);
		opaque(done);
		if (size > capacity || done >= capacity)
			break;
		if (bpf_probe_read_user(out + done, size, segment.iov_base + skip)) {
			count(STAT_NET_DATA_FAULT);
			break;
		}
		done += size;
		skip = 0;
	}
	return done;
}

/* Copies `want` bytes, at most `capacity`, from one range. All or nothing. Returns the count. */
static __always_inline __u32 copy(char *out, const __u32 capacity, __u32 want, const struct operation *op)
{
	long error;

	opaque(want);
	if (want > capacity)
		want = capacity;
	if (want == 0)
		return 0;
	if (op->kind == PAYLOAD_SKB)
		error = bpf_dynptr_read(out, want, op->skb, op->offset, 0);
	else
		error = bpf_probe_read_user(out, want, (const void *)op->base);
	if (error) {
		count(STAT_NET_DATA_FAULT);
		return 0;
	}
	return want;
}

/* Address behind the operation's last byte and, in `part`, how many of its bytes lie there in one piece. 0: not found. */
static __always_inline __u64 find_end(const struct operation *op, __u32 *part)
{
	__u64 left = op->length;
	struct iovec segment;

	if (op->kind == PAYLOAD_FLAT) {
		*part = op->length;
		return op->base + op->length;
	}
	if (!op->user_segments) {
		/* The kernel's own array ends where the operation ends. */
		if (op->segment_count < 2 || read_segment(op, op->segment_count - 1, &segment))
			return 0;
		*part = segment.iov_len;
		return (__u64)segment.iov_base + segment.iov_len;
	}
	/* A system call's array may be longer than its result. */
	for (__u32 i = 0; i < MAX_SEGMENTS && i < op->segment_count; i++) {
		if (read_segment(op, i, &segment))
			return 0;
		if (left <= segment.iov_len) {
			*part = left;
			return (__u64)segment.iov_base + left;
		}
		left -= segment.iov_len;
	}
	return 0;
}

/* The operation's last bytes, as far as one read finds them; 0 where not. */
static __always_inline __u64 read_tail(const struct operation *op)
{
	__u32 size = op->length;
	__u64 tail = 0, end = 0;
	long error;

	if (op->kind != PAYLOAD_SKB) {
		end = find_end(op, &size);
		if (!end)
			return 0;
	}
	if (size > 8)
		size = 8;
	opaque(size);
	if (size == 0 || size > 8)
		return 0;
	if (op->kind == PAYLOAD_SKB)
		error = bpf_dynptr_read(&tail, size, op->skb, op->offset + op->length - size, 0);
	else
		error = bpf_probe_read_user(&tail, size, (const void *)(end - size));
	/* Little-endian: the shift moves the bytes to the right end and fills with 0 on the left. */
	return error ? 0 : tail << (8 * (8 - size));
}

static __always_inline void fill_and_submit(struct net_data_event *event, __u32 captured, struct task_struct *task,
					    struct socket_state *state, const struct operation *op, __u64 tail)
{
	event->hdr.kind = EVENT_NET_DATA;
	event->hdr.flags = op->flags;
	/* The reader takes this many bytes and leaves the rest of the reservation. */
	event->hdr.size = sizeof(*event) + ((captured + 7) & ~7U);
	event->hdr.time = bpf_ktime_get_ns();
	event->tgid = task->tgid;
	event->tid = task->pid;
	event->socket_cookie = state->cookie;
	event->position = op->position;
	event->length = op->length;
	event->turn = state->turn;
	event->captured = captured;
	event->direction = op->direction;
	event->role = state->role;
	event->tuple = op->tuple ? *op->tuple : state->tuple;
	__builtin_memcpy(event->tail, &tail, sizeof(tail));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	state->captured += captured;
	count(STAT_NET_DATA_EVENTS);
}

/* VERIFIER: a reservation's size must be a constant, so there is one per tier. `event` is NULL when the ring is full. */
#define EMIT_TIER(capacity, tail)                                                                                           \
	do {                                                                                                           \
		event = bpf_ringbuf_reserve(&events, sizeof(*event) + (capacity), 0);                                  \
		if (event)                                                                                             \
			fill_and_submit(event, copy((char *)(event + 1), capacity, want, op), task, state, op, tail);  \
	} while (0)

#define EMIT_GATHERED(capacity)                                                                                        \
	do {                                                                                                           \
		event = bpf_ringbuf_reserve(&events, sizeof(*event) + 2 * (capacity), 0);                          \
		if (event)                                                                                             \
			fill_and_submit(event, gather((char *)(event + 1), capacity, want, op), task, state, op, tail); \
	} while (0)

/*
 * The last bytes of `op` once more, in place of it, for protocols that say what matters at the end of a message. `head`: bytes of it
 * that were kept already.
 */
static __always_inline void emit_tail(struct task_struct *task, struct socket_state *state, struct operation *op,
				      __u32 head)
{
	__u32 want = state->rule.tail_bytes;
	__u32 captured = state->captured;
	struct net_data_event *event;
	__u32 part = op->length;
	__u64 end;

	if (want > op->length - head)
		want = op->length - head;
	if (op->kind != PAYLOAD_SKB) {
		end = find_end(op, &part);
		if (!end)
			return;
		if (want > part)
			want = part;
		op->kind = PAYLOAD_FLAT;
		op->base = end - want;
	}
	opaque(want);
	if (want == 0 || want > CAPTURE_TAIL_MAX)
		return;
	op->offset += op->length - want;
	op->position += op->length - want;
	op->length = want;
	op->flags |= NET_DATA_TAIL;
	EMIT_TIER(CAPTURE_TAIL_MAX, 0);
	if (!event)
		count(STAT_NET_DATA_RING_FULL);
	state->captured = captured;
}

/*
 * Accounts for `op` and writes its record. `task` is the current task and watched; `state` is the socket's.
 * Callers hold the socket's lock or live with the race (see the variants).
 */
static __always_inline void emit_data(struct task_struct *task, struct socket_state *state, const struct sock *sk,
				      struct operation *op)
{
	const struct capture_control *control = capture_control();
	struct net_data_event *event;
	bool first_of_turn = false;
	__u32 want = 0;
	__u64 tail = 0;

	state->owner_tgid = task->tgid;
	state->owner_tid = task->pid;
	if (!state->has_tuple)
		remember_tuple(state, sk);
	if (!state->cookie)
		state->cookie = cookie_or_address(sk);
	if (!control || !may_record(state, control, &state->tuple))
		return;
	if (!state->opened) {
		if (state->established)
			emit_open(state, sk, state->role, 0);
		state->opened = 1;
	}
	if (state->moved != op->direction + 1 || op->datagram) {
		state->moved = op->direction + 1;
		state->turn++;
		state->captured = 0;
		first_of_turn = true;
		count(op->datagram ? STAT_NET_DATAGRAMS : STAT_NET_TURNS);
	}
	if (op->kind != PAYLOAD_NONE && state->captured < state->rule.head_bytes) {
		want = state->rule.head_bytes - state->captured;
		if (want > op->length)
			want = op->length;
	}
	if (want) {
		bool saving = is_shed(SHED_PAYLOAD);
		int level = saving ? 2 : shed_level(control);

		if (level == 2 || (level == 1 && want > CAPTURE_SMALL)) {
			want = level == 2 ? 0 : CAPTURE_SMALL;
			op->flags |= NET_DATA_SHED;
			count(saving ? STAT_NET_PAYLOAD_SHED : STAT_NET_PAYLOAD_CUT);
		}
	}
	flatten(op, want);
	if (op->kind != PAYLOAD_NONE)
		tail = read_tail(op);

	if (want == 0)
		EMIT_TIER(0, tail);
	else if (op->kind == PAYLOAD_SEGMENTS && want <= CAPTURE_SMALL)
		EMIT_GATHERED(CAPTURE_SMALL);
	else if (op->kind == PAYLOAD_SEGMENTS && want <= CAPTURE_MEDIUM)
		EMIT_GATHERED(CAPTURE_MEDIUM);
	else if (op->kind == PAYLOAD_SEGMENTS)
		EMIT_GATHERED(CAPTURE_MAX);
	else if (want <= CAPTURE_SMALL)
		EMIT_TIER(CAPTURE_SMALL, tail);
	else if (want <= CAPTURE_MEDIUM)
		EMIT_TIER(CAPTURE_MEDIUM, tail);
	else
		EMIT_TIER(CAPTURE_MAX, tail);

	if (!event) {
		count(STAT_NET_DATA_RING_FULL);
		if (first_of_turn) {
			if (!op->datagram)
				count(STAT_NET_TURNS_RING_FULL);
			note_lost_turn(state);
		}
		return;
	}
	if (state->rule.tail_bytes && op->kind != PAYLOAD_NONE && op->length > want && !(op->flags & NET_DATA_SHED))
		emit_tail(task, state, op, want);
}

#endif /* KINDLING_PAYLOAD_H */
