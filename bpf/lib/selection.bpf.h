/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Is this thread's process watched? Decided once per thread and generation of the rules, then one storage lookup.
 *
 * The verdict is taken again when user space raises `selection.generation` and when the program image or the command
 * name changes (programs/selection). A thread that is moved to another control group keeps its verdict until then.
 */
#ifndef KINDLING_SELECTION_H
#define KINDLING_SELECTION_H

#include "maps.bpf.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */
#define CGROUP_LEVELS 16      /* ancestors asked; deeper hierarchies are cut */

const volatile __u32 self_tgid = 0; /* the agent, never watched */

/* Merges one rule into the verdict so far; an exclusion can't be undone. */
static __always_inline __u32 merge_rule(__u32 verdict, const __u32 *rule)
{
	if (!rule || verdict == SELECT_EXCLUDE)
		return verdict;
	return *rule;
}

static __always_inline __u32 ask_cgroup_rules(struct task_struct *task, __u32 verdict)
{
	struct cgroup *group = BPF_CORE_READ(task, cgroups, dfl_cgrp);

	for (int level = 0; level < CGROUP_LEVELS && group; level++) {
		__u64 id = BPF_CORE_READ(group, kn, id);

		verdict = merge_rule(verdict, bpf_map_lookup_elem(&rule_by_cgroup, &id));
		/* `self` is the first member of struct cgroup, so the parent's css is the parent's cgroup. */
		group = (struct cgroup *)BPF_CORE_READ(group, self.parent);
	}
	return verdict;
}

static __always_inline bool decide_selection(struct task_struct *task, const struct selection_control *control)
{
	__u32 tgid = task->tgid;
	__u32 verdict = 0;

	if ((task->flags & PF_KTHREAD) || tgid == self_tgid)
		return false;
	verdict = merge_rule(verdict, bpf_map_lookup_elem(&rule_by_tgid, &tgid));
	if (control->has_comm_rules) {
		struct selection_comm key = {};

		BPF_CORE_READ_STR_INTO(&key.comm, task, group_leader, comm);
		verdict = merge_rule(verdict, bpf_map_lookup_elem(&rule_by_comm, &key));
	}
	if (control->has_cgroup_rules)
		verdict = ask_cgroup_rules(task, verdict);
	if (verdict == 0)
		return control->select_by_default;
	return verdict == SELECT_INCLUDE;
}

/*
 * The thread's state when its process is watched, else NULL.
 * `task`: a pointer that the verifier trusts (an argument of the hook, or bpf_get_current_task_btf()).
 */
static __always_inline struct thread_state *selected_thread(struct task_struct *task)
{
	struct selection_control *control;
	struct thread_state *thread;
	__u32 zero = 0;

	control = bpf_map_lookup_elem(&selection, &zero);
	if (!control)
		return NULL;
	thread = bpf_task_storage_get(&threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread) {
		/* Only for tasks that could be watched; the idle tasks have no storage in some kernels. */
		if (!(task->flags & PF_KTHREAD))
			count(STAT_SCHED_TASK_STATE_FULL);
		return NULL;
	}
	if (thread->generation != control->generation) {
		/* Nothing is known of the time in which the thread was not watched. */
		if (!thread->selected) {
			thread->on = 0;
			thread->off = 0;
		}
		thread->selected = decide_selection(task, control);
		thread->generation = control->generation;
	}
	return thread->selected ? thread : NULL;
}

#endif /* KINDLING_SELECTION_H */
