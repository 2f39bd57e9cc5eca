// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Which code runs?
 *
 * Hook: perf_event on the software CPU clock, one per CPU, at the frequency that user space opens it with (49 Hz: not
 *   in step with timers that run at round rates). Runs in the timer's interrupt; about 10 us per sample.
 * Emits: cpu_sample_event for watched threads. The idle task and kernel threads are never watched.
 * Entries: `threads` (lib/maps.bpf.h).
 */
#include "selection.bpf.h"

/* `bytes`: result of bpf_get_stack(). Negative: no stack (the mapping was not readable); the sample still counts. */
static __always_inline __u16 frames(long bytes)
{
	return bytes > 0 ? (__u64)bytes / sizeof(__u64) : 0;
}

SEC("perf_event")
int on_cpu_clock(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct cpu_sample_event *event;

	if (task->pid == 0 || !selected_thread(task))
		return 0;
	if (is_shed(SHED_STACKS)) {
		count(STAT_CPU_SHED);
		return 0;
	}
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(STAT_CPU_RING_FULL);
		return 0;
	}
	event->hdr.kind = EVENT_CPU_SAMPLE;
	event->hdr.flags = 0;
	event->hdr.size = sizeof(*event);
	event->hdr.time = bpf_ktime_get_ns();
	event->tgid = task->tgid;
	event->tid = task->pid;
	event->cpu = bpf_get_smp_processor_id();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	/* The helper zeroes what it does not fill. */
	event->kernel_frames = frames(bpf_get_stack(ctx, event->kernel_stack, sizeof(event->kernel_stack), 0));
	event->user_frames =
		frames(bpf_get_stack(ctx, event->user_stack, sizeof(event->user_stack), BPF_F_USER_STACK));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	count(STAT_CPU_SAMPLES);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
