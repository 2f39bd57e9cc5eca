// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Which bytes does which thread move over which TCP connection? Variant for kernels >= 6.16, without system call hooks.
 *
 * Hooks: tp_btf/tcp_sendmsg_locked (since 6.16; in the sender's context, once per pass of the loop that fills
 *   segments: net/ipv4/tcp.c, tcp_sendmsg_locked), tp_btf/skb_copy_datagram_iovec (net/core/datagram.c,
 *   skb_copy_datagram_iter; in the reader's context, once per buffer copied to user space), both with the socket's lock
 *   held, and tp_btf/inet_sock_set_state. They see write, writev, send*, read, readv, recv*, io_uring and kTLS alike.
 *   Bytes that leave by splice() or zero-copy receive are not seen; a reader finds them as a gap in `position`.
 * Emits: net_data_event, net_open_event, net_close_event.
 * Entries: `state_by_socket` is socket storage: created at connect(), at accept, or at the first byte; freed by the
 *   kernel with the socket.
 */
#include "payload.bpf.h"

/* Kernel function, in tp_btf programs since 6.11. */
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *out) __ksym;

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

/* The kernel frees the storage with the socket; a socket that is connected again starts anew. */
static __always_inline void socket_state_forget(struct sock *sk)
{
	bpf_sk_storage_delete(&state_by_socket, sk);
}

#include "existing.bpf.h"

static __always_inline bool is_tcp(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && is_inet(sk->__sk_common.skc_family);
}

/* Where the bytes of a send are. */
static __always_inline void locate_send(struct operation *op, const struct iov_iter *iter)
{
	__u8 type = iter->iter_type;

	if (type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		op->kind = PAYLOAD_FLAT;
		op->base = (__u64)iter->ubuf + iter->iov_offset;
	} else if (type == bpf_core_enum_value(enum iter_type, ITER_IOVEC)) {
		op->kind = PAYLOAD_SEGMENTS;
		op->segments = iter->__iov;
		op->segment_count = iter->nr_segs;
		op->skip = iter->iov_offset;
	} else {
		op->kind = PAYLOAD_NONE;
		op->flags |= NET_DATA_NO_MEMORY;
	}
}

/*
 * The first pass announces the whole send; later passes, and the call that sends what a full socket buffer had left
 * over, say how much of it is still to go: whatever ends where the announced send ends.
 */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(on_tcp_send, struct sock *sk, struct msghdr *msg)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct operation op = { .direction = NET_EGRESS };
	struct socket_state *state;

	if (!is_tcp(sk) || !selected_thread(task))
		return 0;
	state = socket_state_of(sk, true);
	if (!state) {
		count(STAT_NET_SOCKET_STATE_FULL);
		return 0;
	}
	if (!state->cookie)
		state->cookie = bpf_get_socket_cookie(sk);
	op.position = BPF_CORE_READ((struct tcp_sock *)sk, write_seq);
	op.length = msg->msg_iter.count;
	if (state->moved == NET_EGRESS + 1 && state->send_end == op.position + op.length) {
		op.flags = NET_DATA_CONTINUATION;
		op.kind = PAYLOAD_NONE;
	} else {
		locate_send(&op, &msg->msg_iter);
	}
	state->send_end = op.position + op.length;
	emit_data(task, state, sk, &op);
	return 0;
}

SEC("tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(on_tcp_receive, struct sk_buff *skb, int length)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct operation op = { .direction = NET_INGRESS, .kind = PAYLOAD_SKB };
	struct socket_state *state;
	struct sock *sk = skb->sk;
	struct bpf_dynptr bytes;
	__u32 first;

	if (!sk || length <= 0 || !is_tcp(sk) || !selected_thread(task))
		return 0;
	state = socket_state_of(sk, true);
	if (!state) {
		count(STAT_NET_SOCKET_STATE_FULL);
		return 0;
	}
	/* TCP_SKB_CB(skb)->seq: stream position of the buffer's first byte (include/net/tcp.h) */
	first = *(__u32 *)skb->cb;
	op.position = BPF_CORE_READ((struct tcp_sock *)sk, copied_seq);
	op.length = length;
	op.offset = op.position - first;
	if (op.offset >= skb->len) {
		/* A peek beyond the first buffer does not move copied_seq: it starts at this buffer. */
		op.position = first;
		op.offset = 0;
	}
	if (bpf_dynptr_from_skb((struct __sk_buff *)skb, 0, &bytes))
		op.kind = PAYLOAD_NONE;
	op.skb = &bytes;
	emit_data(task, state, sk, &op);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_socket_state_change, struct sock *sk, int old_state, int new_state)
{
	return on_socket_state(sk, old_state, new_state);
}

char LICENSE[] SEC("license") = "GPL";
