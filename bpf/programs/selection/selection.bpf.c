// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Which processes are watched? Creates the maps that all programs share and forgets verdicts that may have changed.
 *
 * Hooks: tp_btf/task_newtask, tp_btf/sched_process_exec (after the new name is set) and tp_btf/task_rename (before it is
 * set), all since 3.x and in process context; iter/task, run once at start. Always loaded.
 * Emits: nothing.
 * Entries: `threads` are created here for every thread, or by another program at its first event; freed with the thread.
 */
#include "capture.bpf.h"
#include "selection.bpf.h"

static __always_inline void forget_verdict(struct task_struct *task)
{
	struct thread_state *thread = bpf_task_storage_get(&threads, task, NULL, 0);

	if (thread)
		thread->generation = 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec_reselect, struct task_struct *task)
{
	forget_verdict(task);
	return 0;
}

/*
 * Rules ask for the name of the group leader. When a leader with other threads renames itself, their verdicts go too:
 * all verdicts are forgotten, which is rare and costs each thread one decision.
 */
SEC("tp_btf/task_rename")
int BPF_PROG(on_task_rename, struct task_struct *task)
{
	struct selection_control *control;
	__u32 zero = 0;

	control = bpf_map_lookup_elem(&selection, &zero);
	if (!control || !control->has_comm_rules || task->pid != task->tgid)
		return 0;
	forget_verdict(task);
	if (task->signal->nr_threads > 1)
		__sync_fetch_and_add(&control->generation, 1);
	return 0;
}

/*
 * A thread's state is best made where memory can always be had. Inside the scheduler an allocation may fail, because the
 * allocator was interrupted; the event is then counted (STAT_SCHED_TASK_STATE_FULL) and lost. No verdict here: a new
 * thread is not in its control group yet.
 */
static __always_inline void make_state(struct task_struct *task)
{
	if (!(task->flags & PF_KTHREAD))
		bpf_task_storage_get(&threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

SEC("tp_btf/task_newtask")
int BPF_PROG(on_new_thread, struct task_struct *task)
{
	make_state(task);
	return 0;
}

/* Run once by user space before the other topics are attached, for the threads that are there already. */
SEC("iter/task")
int make_states(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		make_state(task);
	return 0;
}

/*
 * Run once by user space (BPF_PROG_TEST_RUN, never attached): its own tgid as the initial pid namespace has it, which
 * getpid() does not say inside a container.
 */
SEC("raw_tp")
int own_tgid(void *ctx)
{
	return bpf_get_current_pid_tgid() >> 32;
}

char LICENSE[] SEC("license") = "GPL";
