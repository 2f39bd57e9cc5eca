/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * How much of a connection's payload leaves the kernel: rules of user space (see abi/config.h), and less than they
 * allow while the ring buffer fills up. Used by programs/net; programs/selection creates the maps.
 */
#ifndef KINDLING_CAPTURE_H
#define KINDLING_CAPTURE_H

#include "maps.bpf.h"
#include "sock.bpf.h"

/* Written by user space only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct capture_control);
} capture SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32); /* protocol << 16 | port */
	__type(value, struct capture_rule);
} rule_by_port SEC(".maps");

/* Written by user space only; what falls out has been read by its socket long before. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64); /* socket cookie */
	__type(value, struct capture_rule);
} rule_by_cookie SEC(".maps");

/* Merges a port's rule into what is known; refusal wins. False: nothing more to ask. */
static __always_inline bool merge_port_rule(struct capture_rule *out, __u8 protocol, __u16 port)
{
	__u32 key = (__u32)protocol << 16 | port;
	const struct capture_rule *rule = bpf_map_lookup_elem(&rule_by_port, &key);

	if (rule)
		*out = *rule;
	return out->head_bytes != CAPTURE_NOTHING || !rule;
}

/* What the ports of `tuple` allow; `fallback` where no rule names them. */
static __always_inline struct capture_rule rule_of_ports(const struct socket_tuple *tuple, __u32 fallback)
{
	struct capture_rule rule = { .head_bytes = fallback };

	if (is_inet(tuple->family) && merge_port_rule(&rule, tuple->protocol, tuple->remote_port))
		merge_port_rule(&rule, tuple->protocol, tuple->local_port);
	return rule;
}

/* 0: keep what the rules allow; 1: keep the first bytes; 2: keep nothing. */
static __always_inline int shed_level(const struct capture_control *control)
{
	__u64 waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	if (waiting < control->shed_at)
		return 0;
	return waiting < 2 * (__u64)control->shed_at ? 1 : 2;
}

#endif /* KINDLING_CAPTURE_H */
