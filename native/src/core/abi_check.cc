// SPDX-License-Identifier: Apache-2.0
// The C++ compiler must see the layout that the BPF compiler put into the objects (scripts/generate-abi.ts hashes it).
// A change of events.h or config.h that moves a field fails here until it is repeated on purpose.
#include <cstddef>

#include "config.h"
#include "events.h"

#define SIZE(type, bytes) static_assert(sizeof(type) == (bytes))
#define OFFSET(type, field, bytes) static_assert(offsetof(type, field) == (bytes))

SIZE(event_header, 16);
OFFSET(event_header, size, 4);
OFFSET(event_header, time, 8);
SIZE(socket_tuple, 40);
OFFSET(socket_tuple, local_port, 32);
SIZE(net_data_event, 96);
OFFSET(net_data_event, socket_cookie, 24);
OFFSET(net_data_event, captured, 44);
OFFSET(net_data_event, tuple, 48);
OFFSET(net_data_event, tail, 88);
SIZE(net_open_event, 88);
OFFSET(net_open_event, tuple, 40);
SIZE(net_close_event, 112);
OFFSET(net_close_event, tuple, 48);
OFFSET(net_open_event, netns, 84);
SIZE(net_unix_event, 160);
OFFSET(net_unix_event, peer_cookie, 32);
OFFSET(net_unix_event, path, 48);
SIZE(net_turns_event, 72);
OFFSET(net_turns_event, tuple, 32);
SIZE(net_error_event, 80);
OFFSET(net_error_event, tuple, 40);
SIZE(sched_wait_event, 96);
OFFSET(sched_wait_event, args, 48);
OFFSET(sched_wait_event, waker_tgid, 80);
SIZE(wait_socket, 56);
OFFSET(wait_socket, tuple, 8);
SIZE(wait_file, 56);
OFFSET(wait_file, name, 16);
SIZE(cpu_sample_event, 1072);
OFFSET(cpu_sample_event, kernel_stack, 48);
OFFSET(cpu_sample_event, user_stack, 304);
SIZE(proc_exec_event, 40);
SIZE(task_exit_event, 32);
SIZE(tls_data_event, 72);
OFFSET(tls_data_event, session, 24);
OFFSET(tls_data_event, position, 48);
OFFSET(tls_data_event, captured, 60);
OFFSET(tls_data_event, tail, 64);
SIZE(tls_close_event, 40);
OFFSET(tls_close_event, turns, 32);
SIZE(selection_comm, 16);
SIZE(selection_control, 8);
SIZE(capture_rule, 8);
SIZE(capture_control, 8);
