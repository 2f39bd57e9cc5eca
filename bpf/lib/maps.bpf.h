/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The maps that all programs share. Every object declares them; programs/selection creates them, and the loader makes
 * the other objects use those (bpf_map__reuse_fd) before they are loaded.
 */
#ifndef KINDLING_MAPS_H
#define KINDLING_MAPS_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "config.h"
#include "events.h"
#include "thread.bpf.h"

/* Records for user space, of all kinds. The reader polls, hence BPF_RB_NO_WAKEUP at every submit: a wake-up costs more
 * than 2 us. Size set at load. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} events SEC(".maps");

/* Counters, see enum stat. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STAT_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} stats SEC(".maps");

/* Written by user space only, see config.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct selection_control);
} selection SEC(".maps");

/* Written by user space only, see config.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32); /* enum shed, ored */
} shed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);   /* tgid */
	__type(value, __u32); /* enum selection_action */
} rule_by_tgid SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct selection_comm);
	__type(value, __u32); /* enum selection_action */
} rule_by_comm SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);   /* cgroup v2 id */
	__type(value, __u32); /* enum selection_action */
} rule_by_cgroup SEC(".maps");

/* One entry per thread; created by programs/selection or at its first event, freed by the kernel with the thread. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_state);
} threads SEC(".maps");

static __always_inline bool is_shed(enum shed what)
{
	__u32 zero = 0;
	__u32 *mask = bpf_map_lookup_elem(&shed, &zero);

	return mask && (*mask & what);
}

/* Per CPU, yet atomic: a softirq may interrupt a program on the same CPU and count too. */
static __always_inline void count(enum stat which)
{
	__u32 key = which;
	__u64 *value = bpf_map_lookup_elem(&stats, &key);

	if (value)
		__sync_fetch_and_add(value, 1);
}

#endif /* KINDLING_MAPS_H */
