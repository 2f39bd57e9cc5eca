// SPDX-License-Identifier: Apache-2.0
/*
 * Anchors the shared types: clang keeps BTF only for types that something refers to, so one global per struct and enum.
 * Compiled with -Wpadded, so that a hole nobody wrote out is an error. Never loaded; scripts/generate-abi.ts reads it.
 */
#include "vmlinux.h"

#include "config.h"
#include "events.h"

#define ANCHOR_STRUCT(name) struct name anchor_##name
#define ANCHOR_ENUM(name) enum name anchor_##name

ANCHOR_STRUCT(event_header);
ANCHOR_STRUCT(socket_tuple);
ANCHOR_STRUCT(net_data_event);
ANCHOR_STRUCT(net_open_event);
ANCHOR_STRUCT(net_close_event);
ANCHOR_STRUCT(sched_wait_event);
ANCHOR_STRUCT(wait_socket);
ANCHOR_STRUCT(wait_file);
ANCHOR_STRUCT(cpu_sample_event);
ANCHOR_STRUCT(proc_exec_event);
ANCHOR_STRUCT(task_exit_event);
ANCHOR_STRUCT(tls_data_event);
ANCHOR_STRUCT(tls_close_event);
ANCHOR_STRUCT(selection_comm);
ANCHOR_STRUCT(selection_control);

ANCHOR_ENUM(event_kind);
ANCHOR_ENUM(net_direction);
ANCHOR_ENUM(net_role);
ANCHOR_ENUM(net_data_flags);
ANCHOR_ENUM(fd_kind);
ANCHOR_ENUM(sched_wait_flags);
ANCHOR_ENUM(stat);
ANCHOR_ENUM(selection_action);
ANCHOR_ENUM(tls_library);
ANCHOR_ENUM(tls_call);
ANCHOR_ENUM(shed);
