// SPDX-License-Identifier: Apache-2.0
/*
 * Writes one record of every kind to the standard output, as the host's C compiler lays them out, each field with a
 * value of its own. test/fixtures/abi/sample.bin is this output; sample.json is what it means.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "events.h"

static struct event_header header(unsigned kind, unsigned flags, unsigned size)
{
	struct event_header header = { .kind = kind, .flags = flags, .size = size, .time = 1000000000000 + kind };

	return header;
}

static struct socket_tuple tuple(int family)
{
	struct socket_tuple tuple = { .local_port = 8080, .remote_port = 54321, .family = family, .protocol = 6 };

	if (family == 2) {
		static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

		memcpy(tuple.local_address, mapped, 12);
		memcpy(tuple.remote_address, mapped, 12);
		memcpy(tuple.local_address + 12, "\x0a\x00\x00\x01", 4);
		memcpy(tuple.remote_address + 12, "\x0a\x00\x00\x02", 4);
	} else {
		for (int i = 0; i < 16; i++) {
			tuple.local_address[i] = i;
			tuple.remote_address[i] = 0xf0 + i;
		}
	}
	return tuple;
}

static void put(const void *record, size_t size)
{
	fwrite(record, 1, size, stdout);
}

static void put_wait(int fd_kind, unsigned flags, const void *more, size_t more_size)
{
	struct sched_wait_event event = {
		.hdr = header(EVENT_SCHED_WAIT, flags, sizeof(event) + more_size),
		.tgid = 31,
		.tid = 32,
		.off = 900000000001,
		.wake = 900000000002,
		.on_before = 33,
		.args = { 34, 0x7fff00000035, 36 },
		.syscall = fd_kind ? 37 : -1,
		.state = 1,
		.iowait = 1,
		.fd_kind = fd_kind,
		.waker_tgid = 38,
		.waker_tid = 39,
		.waker_syscall = -1,
	};

	put(&event, sizeof(event));
	put(more, more_size);
}

int main(void)
{
	struct net_data_event data = {
		.hdr = header(EVENT_NET_DATA, NET_DATA_CONTINUATION, sizeof(data) + 16),
		.tgid = 1,
		.tid = 2,
		.socket_cookie = (1ULL << 52) + 3,
		.position = 0xfffffffe,
		.length = 5,
		.turn = 6,
		.captured = 13,
		.direction = NET_EGRESS,
		.role = NET_ROLE_SERVER,
		.tuple = tuple(2),
		.tail = "\0\0\0world",
	};
	struct net_open_event open = {
		.hdr = header(EVENT_NET_OPEN, 0, sizeof(open)),
		.tgid = 11,
		.tid = 12,
		.socket_cookie = 13,
		.connect_start = 14,
		.tuple = tuple(10),
		.role = NET_ROLE_CLIENT,
		.netns = 0xf0000015,
	};
	struct net_close_event close = {
		.hdr = header(EVENT_NET_CLOSE, 0, sizeof(close)),
		.socket_cookie = 21,
		.bytes_sent = 0x100000016,
		.bytes_received = 0x200000017,
		.turns = 24,
		.error = 104,
		.tuple = tuple(2),
		.tgid = 25,
		.old_state = 9,
		.connect_start = 0x3000000a1,
		.tid = 26,
	};
	struct net_unix_event unix_socket = {
		.hdr = header(EVENT_NET_UNIX, 0, sizeof(unix_socket)),
		.tgid = 81,
		.tid = 82,
		.socket_cookie = 83,
		.peer_cookie = (1ULL << 52) + 84,
		.peer_tgid = 85,
		.role = NET_ROLE_SERVER,
		.path_length = 13,
		.path = "/run/app.sock",
	};
	struct net_turns_event turns = {
		.hdr = header(EVENT_NET_TURNS, 0, sizeof(turns)), .socket_cookie = 91, .turns = 92, .tgid = 93, .tuple = tuple(2)
	};
	struct net_error_event error = {
		.hdr = header(EVENT_NET_ERROR, 0, sizeof(error)),
		.tgid = 101,
		.tid = 102,
		.socket_cookie = 103,
		.error = 111,
		.direction = NET_EGRESS,
		.tuple = tuple(10),
	};
	struct wait_socket socket = { .socket_cookie = 41, .tuple = tuple(2), .listening = 1 };
	struct wait_file file = { .inode = 0x10000002a, .device = 0x800001, .fd = 43, .name = "data.bin" };
	struct cpu_sample_event sample = {
		.hdr = header(EVENT_CPU_SAMPLE, 0, sizeof(sample)),
		.tgid = 51,
		.tid = 52,
		.cpu = 53,
		.kernel_frames = 2,
		.user_frames = 3,
		.comm = "fifteen bytes..",
		.kernel_stack = { 0xffffffff81000001, 0xffffffff81000002 },
		.user_stack = { 0x401001, 0x401002, 0x7f0000000003 },
	};
	struct proc_exec_event exec = {
		.hdr = header(EVENT_PROC_EXEC, 0, sizeof(exec)), .tgid = 61, .parent_tgid = 62, .comm = "node"
	};
	struct task_exit_event exit = {
		.hdr = header(EVENT_TASK_EXIT, 0, sizeof(exit)), .tgid = 71, .tid = 72, .exit_code = -256, .last = 1
	};

	struct tls_data_event tls = {
		.hdr = header(EVENT_TLS_DATA, 0, sizeof(tls) + 8),
		.tgid = 81,
		.tid = 82,
		.session = 1ULL << 52,
		.socket_cookie = 83,
		.start = 1000000000001,
		.position = 0xfffffff0,
		.length = 8,
		.turn = 84,
		.captured = 5,
		.direction = NET_EGRESS,
		.library = TLS_GNUTLS,
		.tail = "and more",
	};
	struct tls_close_event tls_close = {
		.hdr = header(EVENT_TLS_CLOSE, 0, sizeof(tls_close)), .tgid = 91, .tid = 92, .session = 93, .turns = 94
	};

	put(&data, sizeof(data));
	put("GET / HTTP/1.", 13);
	put("\0\0", 3);
	put(&open, sizeof(open));
	put(&close, sizeof(close));
	put_wait(FD_NONE, SCHED_WAIT_PREEMPTED, NULL, 0);
	put_wait(FD_SOCKET, SCHED_WAIT_OPEN, &socket, sizeof(socket));
	put_wait(FD_FILE, 0, &file, sizeof(file));
	put(&sample, sizeof(sample));
	put(&exec, sizeof(exec));
	put(&exit, sizeof(exit));
	put(&unix_socket, sizeof(unix_socket));
	put(&turns, sizeof(turns));
	put(&error, sizeof(error));
	put(&tls, sizeof(tls));
	put("hello\0\0", 8);
	put(&tls_close, sizeof(tls_close));
	return 0;
}
