// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Which programs start, which threads end?
 *
 * Hooks: tp_btf/sched_process_exec and tp_btf/sched_process_exit, in the context of the thread itself; stable since 3.x.
 * Emits: proc_exec_event, task_exit_event; for watched processes only. An exec is judged by the rules for the new name.
 * Entries: `threads` (lib/maps.bpf.h).
 */
#include "selection.bpf.h"

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_process_exec, struct task_struct *task)
{
	struct thread_state *thread = bpf_task_storage_get(&threads, task, NULL, 0);
	struct proc_exec_event *event;

	/* programs/selection forgets the verdict too, but nobody says which of the two programs runs first. */
	if (thread)
		thread->generation = 0;
	if (!selected_thread(task))
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(STAT_PROC_RING_FULL);
		return 0;
	}
	event->hdr.kind = EVENT_PROC_EXEC;
	event->hdr.flags = 0;
	event->hdr.size = sizeof(*event);
	event->hdr.time = bpf_ktime_get_ns();
	event->tgid = task->tgid;
	event->parent_tgid = task->real_parent->tgid;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	count(STAT_PROC_EVENTS);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_task_exit, struct task_struct *task)
{
	struct task_exit_event *event;

	if (!selected_thread(task))
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(STAT_PROC_RING_FULL);
		return 0;
	}
	event->hdr.kind = EVENT_TASK_EXIT;
	event->hdr.flags = 0;
	event->hdr.size = sizeof(*event);
	event->hdr.time = bpf_ktime_get_ns();
	event->tgid = task->tgid;
	event->tid = task->pid;
	event->exit_code = task->exit_code;
	/* do_exit() takes the thread off `live` before this hook. */
	event->last = task->signal->live.counter == 0;
	__builtin_memset(event->_pad, 0, sizeof(event->_pad));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	count(STAT_PROC_EVENTS);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
