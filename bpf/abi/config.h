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

#endif /* KINDLING_CONFIG_H */
