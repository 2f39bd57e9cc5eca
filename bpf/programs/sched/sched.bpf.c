// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * When was each watched thread off the CPU, what did it wait for, and who woke it?
 *
 * Hooks: tp_btf/sched_switch (runs with the run queue locked, in the context of the thread that is switched out) and
 *   tp_btf/sched_waking (in the waker's context, before the wake-up takes effect): stable since 3.x; iter/task, run by
 *   user space every second. No system call is traced: a blocked thread's registers and file table say what it does.
 * Emits: sched_wait_event at every switch-in of a watched thread, and once for a wait that lasts long (SCHED_WAIT_OPEN).
 * Entries: `threads` (lib/maps.bpf.h).
 *
 * A thread's life in `thread_state`:
 *
 *        switch-out               waking               switch-in
 *   on ─────────────► off, reason ───────► wake, waker ─────────► record, on
 */
#include "file.bpf.h"
#include "selection.bpf.h"
#include "syscall_abi.bpf.h"

/* sched_switch has the previous task's state as its fourth argument (since 5.18). */
const volatile bool has_prev_state = true;
/* A wait this long is reported while it lasts. */
const volatile __u64 open_wait_ns = 200000000;

#define TASK_STATE_MASK 0x7f /* TASK_REPORT, include/linux/sched.h: the states that ps(1) knows */
#define TASK_DEAD 0x80
#define PF_EXITING 0x4

struct pollfd {
	int fd;
	short events;
	short revents;
};

/* The descriptor that the thread waits on: the first argument, or the only entry of a poll set. -1: none. */
static __always_inline __s32 awaited_fd(const struct thread_state *thread)
{
	struct pollfd only;

	if (first_argument_is_fd(thread->syscall))
		return thread->args[0];
	if ((thread->syscall == NR_poll || thread->syscall == NR_ppoll) && thread->args[1] == 1 &&
	    bpf_probe_read_user(&only, sizeof(only), (const void *)thread->args[0]) == 0)
		return only.fd;
	return -1;
}

static __always_inline void describe_fd(struct thread_state *thread, struct task_struct *task)
{
	__s32 fd = awaited_fd(thread);
	struct file *file;

	thread->fd_kind = FD_NONE;
	if (fd < 0)
		return;
	file = file_of_fd(task, fd);
	if (!file)
		return;
	thread->fd_kind = kind_of_file(file);
	if (thread->fd_kind == FD_SOCKET)
		read_wait_socket(&thread->socket, sock_of_file(file));
	else if (thread->fd_kind == FD_FILE || thread->fd_kind == FD_BLOCK)
		read_wait_file(&thread->file, file, fd);
}

/* System call and arguments from the registers with which the thread entered the kernel. */
static __always_inline void describe_syscall(struct thread_state *thread, struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	thread->syscall = in_foreign_syscall(task) ? -1 : SYSCALL_NR(regs);
	if (thread->syscall < 0) {
		thread->syscall = -1;
		__builtin_memset(thread->args, 0, sizeof(thread->args));
		return;
	}
	thread->args[0] = SYSCALL_ARG0(regs);
	thread->args[1] = SYSCALL_ARG1(regs);
	thread->args[2] = SYSCALL_ARG2(regs);
}

/* `task` is the current task and leaves the CPU. */
static __always_inline void switch_out(struct task_struct *task, bool preempted, __u32 state, mono_ns_t now)
{
	struct thread_state *thread;

	if (state & TASK_DEAD)
		return;
	thread = selected_thread(task);
	if (!thread)
		return;
	/* An `off` here means that the switch-in could not be noted (no state for an instant): `on` is an older one. */
	thread->on_before = thread->on && !thread->off ? now - thread->on : 0;
	thread->preempted = preempted;
	thread->state = state & TASK_STATE_MASK;
	thread->iowait = BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait);
	thread->open_reported = 0;
	thread->wake = 0;
	thread->waker_tgid = 0;
	thread->waker_tid = 0;
	thread->waker_syscall = -1;
	describe_syscall(thread, task);
	if (preempted)
		thread->fd_kind = FD_NONE;
	else
		describe_fd(thread, task);
	thread->off = now;
}

static __always_inline void fill_wait(struct sched_wait_event *event, const struct thread_state *thread,
				      struct task_struct *task, __u16 flags, mono_ns_t now)
{
	event->hdr.kind = EVENT_SCHED_WAIT;
	event->hdr.flags = flags | (thread->preempted ? SCHED_WAIT_PREEMPTED : 0);
	event->hdr.time = now;
	event->tgid = task->tgid;
	event->tid = task->pid;
	event->off = thread->off;
	event->wake = thread->wake;
	event->on_before = thread->on_before;
	event->args[0] = thread->args[0];
	event->args[1] = thread->args[1];
	event->args[2] = thread->args[2];
	event->syscall = thread->syscall;
	event->state = thread->state;
	event->iowait = thread->iowait;
	event->fd_kind = thread->fd_kind;
	event->waker_tgid = thread->waker_tgid;
	event->waker_tid = thread->waker_tid;
	event->waker_syscall = thread->waker_syscall;
	event->_pad = 0;
}

/*
 * Writes the wait that began at `off`; nothing when the thread has meanwhile left it.
 * VERIFIER: the size of a reservation must be a constant, hence one branch per trailing struct.
 */
static __always_inline void emit_wait(const struct thread_state *thread, struct task_struct *task, __u16 flags,
				      mono_ns_t off, mono_ns_t now)
{
	struct sched_wait_event *event;

	if (thread->fd_kind == FD_SOCKET) {
		event = bpf_ringbuf_reserve(&events, sizeof(*event) + sizeof(thread->socket), 0);
		if (!event)
			goto full;
		event->hdr.size = sizeof(*event) + sizeof(thread->socket);
		*(struct wait_socket *)(event + 1) = thread->socket;
	} else if (thread->fd_kind == FD_FILE || thread->fd_kind == FD_BLOCK) {
		event = bpf_ringbuf_reserve(&events, sizeof(*event) + sizeof(thread->file), 0);
		if (!event)
			goto full;
		event->hdr.size = sizeof(*event) + sizeof(thread->file);
		*(struct wait_file *)(event + 1) = thread->file;
	} else {
		event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
		if (!event)
			goto full;
		event->hdr.size = sizeof(*event);
	}
	fill_wait(event, thread, task, flags, now);
	if (event->off != off) {
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
		return;
	}
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	count(STAT_SCHED_EVENTS);
	return;
full:
	count(STAT_SCHED_RING_FULL);
}

static __always_inline void switch_in(struct task_struct *task, mono_ns_t now)
{
	struct thread_state *thread = selected_thread(task);

	if (!thread)
		return;
	if (thread->off) {
		/* A wait that was reported while it lasted must end, or it would seem to last on. */
		if (now - thread->off < SHED_WAIT_NS && !thread->open_reported && is_shed(SHED_SCHED_DETAIL))
			count(STAT_SCHED_SHED);
		else
			emit_wait(thread, task, 0, thread->off, now);
	}
	thread->off = 0;
	thread->on = now;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	mono_ns_t now = bpf_ktime_get_ns();
	/* The argument, where it exists, is the state that the scheduler decided on; prev->__state may have moved on. */
	__u32 state = has_prev_state ? (__u32)ctx[3] : prev->__state;
	bool preempted = preempt || state == 0;

	switch_out(prev, preempted, preempted ? 0 : state, now);
	switch_in(next, now);
	return 0;
}

/* "ksoftirqd/0": runs the work of interrupts. */
static __always_inline bool is_ksoftirqd(const struct task_struct *task)
{
	return task->comm[0] == 'k' && task->comm[1] == 's' && task->comm[2] == 'o' && task->comm[3] == 'f' &&
	       task->comm[4] == 't';
}

/*
 * Is the current task the one that wakes `thread`, or does an interrupt borrow its CPU? Nothing readable from here says
 * so, thus: idle and ksoftirqd only run interrupts' wake-ups; a task in user mode wakes nobody; timers end sleeps; and
 * futex waits end by futex calls. A signal or an ending thread can end any of them.
 */
static __always_inline bool is_waker(const struct thread_state *thread, struct task_struct *waker, __s32 waker_syscall)
{
	if (waker->pid == 0)
		return false;
	if (waker->flags & PF_KTHREAD)
		return !is_ksoftirqd(waker);
	if ((waker->flags & PF_EXITING) || can_signal(waker_syscall))
		return true;
	if (waker_syscall < 0 || is_sleep(thread->syscall))
		return false;
	if (is_futex(thread->syscall))
		return is_futex(waker_syscall);
	return true;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_sched_waking, struct task_struct *task)
{
	struct thread_state *thread = bpf_task_storage_get(&threads, task, NULL, 0);
	struct task_struct *waker;
	__s32 waker_syscall = -1;

	if (!thread || !thread->selected || !thread->off || thread->preempted || thread->wake)
		return 0;
	thread->wake = bpf_ktime_get_ns();
	waker = bpf_get_current_task_btf();
	if (!(waker->flags & PF_KTHREAD) && !in_foreign_syscall(waker)) {
		struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(waker);

		waker_syscall = SYSCALL_NR(regs);
		if (waker_syscall < 0)
			waker_syscall = -1;
	}
	if (!is_waker(thread, waker, waker_syscall))
		return 0;
	thread->waker_tgid = waker->tgid;
	thread->waker_tid = waker->pid;
	thread->waker_syscall = waker_syscall;
	return 0;
}

/*
 * Run by user space: reports waits that last. A thread that is switched in meanwhile writes its own, complete record,
 * which may then stand before this one in the ring: a reader knows by the same `off` that the wait is over.
 */
SEC("iter/task")
int dump_open_waits(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct thread_state *thread;
	mono_ns_t now, off;

	if (!task)
		return 0;
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!thread || !thread->selected || thread->open_reported)
		return 0;
	off = thread->off;
	now = bpf_ktime_get_ns();
	if (!off || now < off + open_wait_ns)
		return 0;
	thread->open_reported = 1;
	emit_wait(thread, task, SCHED_WAIT_OPEN, off, now);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
