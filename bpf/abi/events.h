/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel → user space: every record that a BPF program puts in the ring buffer `events`.
 *
 * This file is the only definition. TypeScript's copy (src/receiver/ebpf/abi.gen.ts) is generated from the BTF of
 * abi.bpf.c. Valid as BPF C, C11 and C++17.
 *
 * Rules: fixed-width types only; no enums as field types, no bit fields, unions, pointers or `long`; holes are
 * written out and zeroed. Readers skip kinds they do not know by `size`.
 */
#ifndef KINDLING_EVENTS_H
#define KINDLING_EVENTS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

typedef __u64 mono_ns_t;     /* CLOCK_MONOTONIC, nanoseconds */
typedef __u64 duration_ns_t; /* nanoseconds */

#define COMM_LEN 16
#define FILE_NAME_LEN 40
#define KERNEL_FRAMES 32
#define USER_FRAMES 96

enum event_kind {
	EVENT_NET_DATA = 1,   /* struct net_data_event + payload */
	EVENT_NET_OPEN = 2,   /* struct net_open_event */
	EVENT_NET_CLOSE = 3,  /* struct net_close_event */
	EVENT_SCHED_WAIT = 4, /* struct sched_wait_event (+ wait_socket | wait_file) */
	EVENT_CPU_SAMPLE = 5, /* struct cpu_sample_event */
	EVENT_PROC_EXEC = 6,  /* struct proc_exec_event */
	EVENT_TASK_EXIT = 7,  /* struct task_exit_event */
	EVENT_NET_UNIX = 10,  /* struct net_unix_event */
	EVENT_NET_TURNS = 11, /* struct net_turns_event */
	EVENT_NET_ERROR = 12, /* struct net_error_event */
	EVENT_TLS_DATA = 32,  /* struct tls_data_event + payload */
	EVENT_TLS_CLOSE = 33, /* struct tls_close_event */
};

/* First in every event. `size` is the whole record, payload and padding included; always a multiple of 8. */
struct event_header {
	__u16 kind;  /* enum event_kind */
	__u16 flags; /* kind-specific */
	__u32 size;  /* bytes */
	mono_ns_t time;
};

/*
 * Endpoints of a socket as its owner sees them. IPv4 is written as v4-mapped IPv6 (::ffff:a.b.c.d); family is AF_INET
 * also for an IPv6 socket that carries IPv4, so both ends of a connection look alike.
 * Ports are in host byte order. Unix sockets: family AF_UNIX, everything else 0.
 */
struct socket_tuple {
	__u8 local_address[16];
	__u8 remote_address[16];
	__u16 local_port;
	__u16 remote_port;
	__u16 family;  /* AF_INET, AF_INET6, AF_UNIX */
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP; unix sockets: 0 */
	__u8 _pad;
};

enum net_direction {
	NET_INGRESS = 0, /* the thread received */
	NET_EGRESS = 1,  /* the thread sent */
};

enum net_role {
	NET_ROLE_UNKNOWN = 0, /* opened before the agent started */
	NET_ROLE_CLIENT = 1,  /* called connect() */
	NET_ROLE_SERVER = 2,  /* came out of accept() */
};

enum net_data_flags {
	NET_DATA_CONTINUATION = 1, /* a later part of a send() already announced; `length` is what is still to go */
	NET_DATA_NO_MEMORY = 2,    /* payload not reachable (sendfile, splice, io_uring on what is not TCP) */
	NET_DATA_TAIL = 4,         /* bytes at the end of the operation before: repeats a part of it, adds none */
	NET_DATA_SHED = 8,         /* less payload than allowed was kept, because the ring buffer was filling up or to save CPU time */
};

enum net_open_flags {
	NET_OPEN_EXISTING = 1, /* older than the programs: found in a process, hdr.time is that of the search */
};

/*
 * Bytes moved between a thread and a socket, in stream order per direction. The payload's first `captured` bytes
 * follow the struct. Emitted by programs/net on the thread that sends or receives.
 *
 * UDP: one record per datagram, `position` counts the socket's datagrams of this direction from 0, `turn` those of
 * both directions from 1, and `tuple` is that of the datagram: an unconnected socket has a peer in each.
 * Unix stream sockets: `position` counts bytes from where watching began.
 *
 * `turn` counts the changes of direction on this socket, starting with 1 for the first byte in either direction, and
 * advances even when records are lost: a gap in it says exactly how many messages were missed.
 */
struct net_data_event {
	struct event_header hdr; /* flags: enum net_data_flags */
	__u32 tgid;
	__u32 tid;
	__u64 socket_cookie; /* names the socket while it lives; bit 52 set: made from its address, see lib/sock.bpf.h */
	__u32 position; /* TCP sequence number of the first byte; see above for others */
	__u32 length;   /* bytes in this operation */
	__u32 turn;
	__u16 captured; /* payload bytes in this record */
	__u8 direction; /* enum net_direction */
	__u8 role;      /* enum net_role */
	struct socket_tuple tuple;
	__u8 tail[8]; /* the operation's last bytes, right-aligned, zero-filled when shorter or not readable */
};

/*
 * A TCP connection became ESTABLISHED at hdr.time. tgid/tid: the thread that connected; for an accepted connection the
 * thread that moved its first byte. The record of an accepted connection is written just before that byte's record, with
 * the time of its establishment, which may be long before.
 */
struct net_open_event {
	struct event_header hdr;
	__u32 tgid;
	__u32 tid;
	__u64 socket_cookie;
	mono_ns_t connect_start; /* client only: SYN_SENT was entered; else 0 */
	struct socket_tuple tuple;
	__u8 role; /* enum net_role */
	__u8 _pad[3];
	__u32 netns; /* inode number of the socket's network namespace */
};

/*
 * A unix stream socket that was not seen before moves bytes; written just before its first net_data_event. Which end
 * listened is told by the name: a listener's sockets have it, those that connected to it do not.
 */
struct net_unix_event {
	struct event_header hdr;
	__u32 tgid;
	__u32 tid;
	__u64 socket_cookie;
	__u64 peer_cookie; /* of the other end, 0 when that is closed already */
	__u32 peer_tgid;   /* who connected, or who called listen(); 0: not known */
	__u8 role;	   /* enum net_role; unknown for a socketpair() */
	__u8 path_length;
	__u8 _pad[2];
	char path[112]; /* of the listener, most often with the NUL at its end; abstract names begin with NUL */
};

/* Says how many turns a socket has had, because the records of some were lost. Written when there is room again. */
struct net_turns_event {
	struct event_header hdr;
	__u64 socket_cookie;
	__u32 turns;
	__u32 tgid;
	struct socket_tuple tuple;
};

/* An operation on a UDP or unix socket failed. What became of a TCP connection is in its net_close_event. */
struct net_error_event {
	struct event_header hdr;
	__u32 tgid;
	__u32 tid;
	__u64 socket_cookie;
	__s32 error;	/* errno; 0: end of stream (unix) */
	__u8 direction; /* enum net_direction */
	__u8 _pad[3];
	struct socket_tuple tuple;
};

/*
 * A TCP socket reached CLOSE. Totals are the kernel's own, payload only, so lost records can be told from no traffic.
 * Written when a watched thread connected the socket or moved data on it. A connection that failed has an old_state of
 * SYN_SENT, no local port and no net_open_event.
 */
struct net_close_event {
	struct event_header hdr;
	__u64 socket_cookie;
	__u64 bytes_sent;
	__u64 bytes_received;
	__u32 turns;  /* last value of net_data_event.turn */
	__s32 error;  /* sk_err: 0, ECONNRESET, ETIMEDOUT, … */
	struct socket_tuple tuple;
	__u32 tgid; /* last watched process that connected it or moved data */
	__u32 old_state; /* TCP_* */
	mono_ns_t connect_start; /* as in net_open_event */
	__u32 tid; /* thread that connected it or moved data last */
	__u32 _pad;
};

enum tls_library {
	TLS_OPENSSL = 1, /* and what has its interface: LibreSSL, BoringSSL */
	TLS_GNUTLS = 2,
	TLS_GO = 3, /* crypto/tls */
};

/*
 * Plaintext moved through a TLS session, in stream order per direction (programs/tls). The payload's first `captured`
 * bytes follow the struct. `turn` counts as in net_data_event, but the session's own changes of direction.
 */
struct tls_data_event {
	struct event_header hdr; /* time: the call returned (read), or was entered and found its bytes (Go's Write) */
	__u32 tgid;
	__u32 tid;
	__u64 session;       /* names the session while it lives, below 2^53; never used again */
	__u64 socket_cookie; /* as in net_data_event; 0: the library was not asked */
	mono_ns_t start;     /* the call was entered */
	__u32 position;      /* plaintext bytes that moved before in this direction, since the session was first seen */
	__u32 length;        /* bytes in this call */
	__u32 turn;
	__u16 captured;
	__u8 direction; /* enum net_direction */
	__u8 library;   /* enum tls_library */
	__u8 tail[8];   /* as in net_data_event */
};

/* A TLS session was freed. Written when plaintext had been seen on it. */
struct tls_close_event {
	struct event_header hdr;
	__u32 tgid;
	__u32 tid;
	__u64 session;
	__u32 turns; /* last value of tls_data_event.turn */
	__u32 _pad;
};

/* What the first argument of the interrupted syscall refers to, as an open file of the thread. */
enum fd_kind {
	FD_NONE = 0,    /* not in a syscall, or the argument is no descriptor */
	FD_SOCKET = 1,  /* struct wait_socket follows */
	FD_FILE = 2,    /* regular file; struct wait_file follows */
	FD_BLOCK = 3,   /* block device; struct wait_file follows */
	FD_PIPE = 4,    /* pipe or FIFO */
	FD_CHAR = 5,    /* character device */
	FD_ANON = 6,    /* anonymous inode: eventfd, epoll, timerfd, signalfd, … */
	FD_DIRECTORY = 7,
};

enum sched_wait_flags {
	SCHED_WAIT_OPEN = 1,      /* still waiting: hdr.time is the time of the report, not of a switch-in */
	SCHED_WAIT_PREEMPTED = 2, /* was runnable when switched out: the whole interval is run-queue time */
};

/*
 * A thread was off the CPU from `off` to hdr.time. Emitted at switch-in by programs/sched, and once, flagged OPEN, for
 * waits longer than about a second (so that a reader never mistakes a sleeping thread for a running one).
 *
 *   previous switch-in       off                wake          hdr.time
 *        │◄── on_before ────►│◄──── blocked ────►│◄─ run queue ─►│
 */
struct sched_wait_event {
	struct event_header hdr; /* flags: enum sched_wait_flags */
	__u32 tgid;
	__u32 tid;
	mono_ns_t off;
	mono_ns_t wake;          /* 0: not seen (preempted, or woken before the programs were attached) */
	duration_ns_t on_before; /* on-CPU time since the previous switch-in; 0 when that was not seen */
	__u64 args[3];           /* syscall arguments 0…2; 0 when not in a syscall */
	__s32 syscall;           /* syscall number; -1: not in a syscall (fault or interrupt) */
	__u16 state;             /* task state at switch-out: 0 runnable, 1 interruptible, 2 uninterruptible, … */
	__u8 iowait;             /* task->in_iowait */
	__u8 fd_kind;            /* enum fd_kind */
	__u32 waker_tgid;        /* 0: interrupt, or not seen */
	__u32 waker_tid;
	__s32 waker_syscall; /* the waker's own syscall number, -1 none */
	__u32 _pad;
};

struct wait_socket {
	__u64 socket_cookie; /* as in net_data_event */
	struct socket_tuple tuple;
	__u8 listening; /* 1: accept() on a listening socket */
	__u8 _pad[7];
};

struct wait_file {
	__u64 inode;
	__u32 device; /* kernel dev_t */
	__u32 fd;
	char name[FILE_NAME_LEN]; /* last path component, NUL-padded, may be truncated */
};

/* One tick of the CPU clock (programs/cpu). Addresses are innermost first; unused slots are 0. */
struct cpu_sample_event {
	struct event_header hdr;
	__u32 tgid;
	__u32 tid;
	__u32 cpu;
	__u16 kernel_frames;
	__u16 user_frames;
	char comm[COMM_LEN]; /* of the thread */
	__u64 kernel_stack[KERNEL_FRAMES];
	__u64 user_stack[USER_FRAMES];
};

/* A process replaced its program image (programs/proc). */
struct proc_exec_event {
	struct event_header hdr;
	__u32 tgid;
	__u32 parent_tgid;
	char comm[COMM_LEN];
};

/* A thread ended; the process too when tid == tgid and `last` is set. */
struct task_exit_event {
	struct event_header hdr;
	__u32 tgid;
	__u32 tid;
	__s32 exit_code; /* wait(2) status, not shifted */
	__u8 last;       /* 1: the last thread of the process */
	__u8 _pad[3];
};

/*
 * Per-CPU counters in the map `stats`. Each line's comment is the help text of the exported metric; names without the
 * STAT_ prefix, in lower case, are the reason labels.
 */
enum stat {
	STAT_NET_DATA_EVENTS = 0,     /* Socket operations written to the ring buffer. */
	STAT_NET_DATA_RING_FULL,      /* Socket operations lost because the ring buffer was full. */
	STAT_NET_DATA_FAULT,          /* Socket operations whose payload could not be read (page not present). */
	STAT_NET_TURNS,               /* Messages (changes of direction on a socket) seen, lost ones included. */
	STAT_NET_TURNS_RING_FULL,     /* Messages whose first record was lost because the ring buffer was full. */
	STAT_NET_SOCKET_STATE_FULL,   /* Socket operations skipped because no per-socket state could be allocated. */
	STAT_NET_CONNECTION_EVENTS,   /* Connection open and close records written. */
	STAT_NET_CONNECTION_RING_FULL, /* Connection records lost because the ring buffer was full. */
	STAT_SCHED_EVENTS,            /* Wait records written. */
	STAT_SCHED_RING_FULL,         /* Wait records lost because the ring buffer was full. */
	STAT_SCHED_TASK_STATE_FULL,   /* Events of any kind skipped because no per-thread state could be allocated. */
	STAT_CPU_SAMPLES,             /* Stack samples written. */
	STAT_CPU_RING_FULL,           /* Stack samples lost because the ring buffer was full. */
	STAT_PROC_EVENTS,             /* Process records written. */
	STAT_PROC_RING_FULL,          /* Process records lost because the ring buffer was full. */
	STAT_NET_DATAGRAMS,           /* UDP datagrams of the selected ports seen, lost ones included. */
	STAT_NET_PAYLOAD_CUT,         /* Socket operations of which less payload was kept because the ring buffer was filling up. */
	STAT_NET_LOSS_FORGOTTEN,      /* Notes on lost socket records that were lost too, because there were too many. */
	STAT_NET_PEER_UNKNOWN,        /* Datagrams received without a known sender. */
	STAT_TLS_EVENTS,              /* TLS records written. */
	STAT_TLS_RING_FULL,           /* TLS records lost because the ring buffer was full. */
	STAT_TLS_FAULT,               /* TLS calls whose plaintext could not be read (page not present). */
	STAT_TLS_STATE_FULL,          /* TLS calls skipped because no state could be allocated. */
	STAT_TLS_TURNS,               /* Messages (changes of direction in a TLS session) seen, lost ones included. */
	STAT_SCHED_SHED,              /* Waits below 1 ms left out to save CPU time (see receivers.ebpf.budget). */
	STAT_CPU_SHED,                /* Stack samples left out to save CPU time. */
	STAT_NET_PAYLOAD_SHED,        /* Socket operations recorded without payload to save CPU time. */
	STAT_COUNT,
};

#endif /* KINDLING_EVENTS_H */
