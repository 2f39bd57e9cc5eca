/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Reading struct sock. All reads are probe reads, so any pointer to a socket will do. */
#ifndef KINDLING_SOCK_H
#define KINDLING_SOCK_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "events.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define SOCK_STREAM 1 /* include/linux/net.h, enum sock_type */

/* include/net/tcp_states.h */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_CLOSE = 7,
	TCP_LISTEN = 10,
};

static __always_inline bool is_inet(__u16 family)
{
	return family == AF_INET || family == AF_INET6;
}

/* ::ffff:a.b.c.d; `address` in network byte order */
static __always_inline void write_mapped(__u8 *out, __be32 address)
{
	__builtin_memset(out, 0, 10);
	out[10] = 0xff;
	out[11] = 0xff;
	__builtin_memcpy(out + 12, &address, 4);
}

static __always_inline bool is_mapped(const __u8 *address)
{
	const __u32 *word = (const __u32 *)address;

	return word[0] == 0 && word[1] == 0 && word[2] == bpf_htonl(0xffff);
}

/* Fills `tuple` from `sk`. An IPv6 socket that carries IPv4 is reported as AF_INET, so that both ends look alike. */
static __always_inline void read_tuple(struct socket_tuple *tuple, const struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	__builtin_memset(tuple, 0, sizeof(*tuple));
	tuple->family = family;
	if (!is_inet(family))
		return;
	tuple->protocol = BPF_CORE_READ(sk, sk_protocol);
	tuple->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	tuple->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (family == AF_INET) {
		write_mapped(tuple->local_address, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		write_mapped(tuple->remote_address, BPF_CORE_READ(sk, __sk_common.skc_daddr));
		return;
	}
	BPF_CORE_READ_INTO(&tuple->local_address, sk, __sk_common.skc_v6_rcv_saddr);
	BPF_CORE_READ_INTO(&tuple->remote_address, sk, __sk_common.skc_v6_daddr);
	if (is_mapped(tuple->remote_address) || is_mapped(tuple->local_address))
		tuple->family = AF_INET;
}

/* VERIFIER: kernel pointers allow no arithmetic and can't be map keys; read back from the stack they are numbers. */
static __always_inline __u64 address_of(const void *pointer)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &pointer);
	return address;
}

/*
 * Identity of a socket: its cookie. A socket that has none yet is named by its address in kernel memory, which is
 * unique while it lives; bit 52 keeps the two apart and the number exact as a float64.
 */
static __always_inline __u64 cookie_or_address(const struct sock *sk)
{
	__u64 cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);

	return cookie ? cookie : (1ULL << 52) | (address_of(sk) & 0xffffffffffffULL);
}

#endif /* KINDLING_SOCK_H */
