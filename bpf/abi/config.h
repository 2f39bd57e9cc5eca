/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User space → kernel: which processes are watched. Scalars that never change while the programs are loaded are
 * `const volatile` knobs of each program instead (see bpf/programs/<topic>).
 */
#ifndef KINDLING_CONFIG_H
#define KINDLING_CONFIG_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum selection_action {
	SELECT_EXCLUDE = 1,
	SELECT_INCLUDE = 2,
};

/*
 * Rules live in three hash maps (value: enum selection_action): rule_by_tgid, rule_by_comm, rule_by_cgroup.
 * A process is watched when no rule excludes it and either a rule includes it or `select_by_default` is set.
 * Kernel threads and the agent itself are never watched.
 */
struct selection_comm {
	char comm[16]; /* NUL-padded; of the thread group leader */
};

/*
 * The one entry of the array map `selection`. Verdicts are cached per thread together with the generation they were
 * made under, so rules may change while the programs run: write the rule maps, then raise `generation` (never 0).
 */
struct selection_control {
	__u32 generation;
	__u8 select_by_default; /* 1: processes without a matching rule are watched */
	__u8 has_comm_rules;    /* 0: rule_by_comm is empty and need not be asked */
	__u8 has_cgroup_rules;  /* 0: rule_by_cgroup is empty and need not be asked */
	__u8 _pad;
};

/*
 * The cookie of every probe of programs/tls: what the probed function is.
 *
 *     bits 0-7   enum tls_call
 *     bit 8      enum net_direction: 1 when the function sends
 *     bits 16-23 enum tls_library
 */
enum tls_call {
	TLS_CALL_RESULT = 0,     /* f(session, buffer, size) returns the count of bytes, or <= 0 */
	TLS_CALL_COUNT_ARG3 = 1, /* f(session, buffer, size, &count) returns 1, else nothing was moved */
	TLS_CALL_COUNT_ARG4 = 2, /* f(session, buffer, size, flags, &count) returns 1 */
};

#define TLS_COOKIE_CALL(cookie) ((cookie) & 0xff)
#define TLS_COOKIE_DIRECTION(cookie) ((cookie) >> 8 & 1)
#define TLS_COOKIE_LIBRARY(cookie) ((cookie) >> 16 & 0xff)

/*
 * The one entry (__u32) of the array map `shed`: what the programs leave out to save CPU time. Turns, byte counts and
 * connections are never left out.
 */
enum shed {
	SHED_STACKS = 1,       /* no stack samples */
	SHED_SCHED_DETAIL = 2, /* no records of waits shorter than SHED_WAIT_NS */
	SHED_PAYLOAD = 4,      /* socket operations without payload */
};

#define SHED_WAIT_NS 1000000

#endif /* KINDLING_CONFIG_H */
