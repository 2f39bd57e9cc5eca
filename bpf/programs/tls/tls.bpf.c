// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * What do the processes say to each other inside TLS?
 *
 * Hooks: uprobes and uretprobes that user space attaches to the functions it finds in the files which processes map
 *   (src/observer/tls); nothing attaches by itself. In the context of the calling thread. The attachment's cookie
 *   (abi/config.h, enum tls_call) says what the function is.
 *   C libraries: at entry the arguments are kept, at return the result says how many of the buffer's bytes moved.
 *   Go: a goroutine's stack may move and it may change its thread, so nothing is hooked at return. Write is taken at
 *   entry. Read keeps the connection by goroutine; the plaintext is taken where Read copies it to the caller.
 * Emits: tls_data_event, tls_close_event; for watched processes only.
 * Entries: `tls_calls` one per thread inside a call, freed by the kernel with the thread. `tls_sessions`: created at
 *   the first plaintext, deleted when the library frees the session; LRU bounds what is left of processes that ended
 *   and of Go, which frees nothing. `go_reads`: by goroutine, overwritten by its next Read; LRU.
 */
#include "file.bpf.h"
#include "selection.bpf.h"

/* Payload bytes kept per turn. At most CAPTURE_MAX. */
const volatile __u32 capture_bytes = 1024;

#define CAPTURE_SMALL 256
#define CAPTURE_MEDIUM 1024
#define CAPTURE_MAX 4096

/* VERIFIER: keeps the compiler from folding a bound it has proved itself but the verifier has not seen. */
#define opaque(value) asm volatile("" : "+r"(value))

struct tls_call_state {
	__u64 session; /* address of the library's object; 0: no call under way */
	__u64 buffer;
	__u64 count; /* address of the byte count, see enum tls_call */
	mono_ns_t start;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct tls_call_state);
} tls_calls SEC(".maps");

struct session_key {
	__u64 address; /* of the library's object */
	__u32 tgid;
	__u32 _pad;
};

struct session_state {
	__u64 id;
	__u64 socket_cookie; /* Go: the socket that `id` belongs to */
	__u32 position[2];   /* by enum net_direction */
	__u32 turn;
	__u32 captured; /* payload bytes kept in this turn */
	__u8 moved;	/* enum net_direction of the last bytes + 1; 0: none */
	__u8 _pad[7];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct session_key);
	__type(value, struct session_state);
} tls_sessions SEC(".maps");

struct go_read {
	__u64 connection;
	mono_ns_t start;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct session_key); /* address of the goroutine */
	__type(value, struct go_read);
} go_reads SEC(".maps");

/* One movement of plaintext, found. */
struct tls_move {
	__u64 session;
	__u64 buffer;
	__u64 socket_cookie;
	__u64 cookie; /* of the probe */
	mono_ns_t start;
	__u32 length;
};

/*
 * Time is unique enough to tell the sessions that follow each other at one address; the low bits tell apart those that
 * begin on two CPUs in the same microsecond. Below 2^53.
 */
static __always_inline __u64 new_session_id(void)
{
	return (bpf_ktime_get_ns() >> 4 << 4 | (bpf_get_smp_processor_id() & 15)) & ((1ULL << 53) - 1);
}

static __always_inline struct session_state *session_of(const struct session_key *key, __u64 socket_cookie)
{
	struct session_state *session = bpf_map_lookup_elem(&tls_sessions, key);
	struct session_state fresh = {};

	/* Go says which socket it is, and never when a connection ends: another socket is another session. */
	if (session && (socket_cookie == 0 || session->socket_cookie == socket_cookie))
		return session;
	fresh.id = new_session_id();
	fresh.socket_cookie = socket_cookie;
	bpf_map_update_elem(&tls_sessions, key, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&tls_sessions, key);
}

static __always_inline __u64 read_tail(const struct tls_move *move)
{
	__u32 size = move->length;
	__u64 tail = 0;

	if (size > 8)
		size = 8;
	opaque(size);
	if (size == 0 || size > 8)
		return 0;
	if (bpf_probe_read_user(&tail, size, (const void *)(move->buffer + move->length - size)))
		return 0;
	/* Little-endian: the shift moves the bytes to the right end and fills with 0 on the left. */
	return tail << (8 * (8 - size));
}

static __always_inline __u32 copy(char *out, const __u32 capacity, __u32 want, const struct tls_move *move)
{
	opaque(want);
	if (want > capacity)
		want = capacity;
	if (want == 0)
		return 0;
	if (bpf_probe_read_user(out, want, (const void *)move->buffer)) {
		count(STAT_TLS_FAULT);
		return 0;
	}
	return want;
}

static __always_inline void fill_and_submit(struct tls_data_event *event, __u32 captured, struct task_struct *task,
					    struct session_state *session, const struct tls_move *move)
{
	__u8 direction = TLS_COOKIE_DIRECTION(move->cookie);
	__u64 tail = read_tail(move);

	event->hdr.kind = EVENT_TLS_DATA;
	event->hdr.flags = 0;
	/* The reader takes this many bytes and leaves the rest of the reservation. */
	event->hdr.size = sizeof(*event) + ((captured + 7) & ~7U);
	event->hdr.time = bpf_ktime_get_ns();
	event->tgid = task->tgid;
	event->tid = task->pid;
	event->session = session->id;
	event->socket_cookie = move->socket_cookie;
	event->start = move->start;
	event->position = session->position[direction];
	event->length = move->length;
	event->turn = session->turn;
	event->captured = captured;
	event->direction = direction;
	event->library = TLS_COOKIE_LIBRARY(move->cookie);
	__builtin_memcpy(event->tail, &tail, sizeof(tail));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	session->captured += captured;
	count(STAT_TLS_EVENTS);
}

/* VERIFIER: a reservation's size must be a constant, so there is one per tier. `event` is NULL when the ring is full. */
#define EMIT_TIER(capacity)                                                                                            \
	do {                                                                                                           \
		event = bpf_ringbuf_reserve(&events, sizeof(*event) + (capacity), 0);                                  \
		if (event)                                                                                             \
			fill_and_submit(event, copy((char *)(event + 1), capacity, want, move), task, session, move);  \
	} while (0)

static __always_inline void emit_move(struct task_struct *task, const struct tls_move *move)
{
	struct session_key key = { .address = move->session, .tgid = task->tgid };
	__u8 direction = TLS_COOKIE_DIRECTION(move->cookie);
	struct session_state *session = session_of(&key, move->socket_cookie);
	struct tls_data_event *event;
	__u32 want = 0;

	if (!session) {
		count(STAT_TLS_STATE_FULL);
		return;
	}
	if (session->moved != direction + 1) {
		session->moved = direction + 1;
		session->turn++;
		session->captured = 0;
		count(STAT_TLS_TURNS);
	}
	if (session->captured < capture_bytes) {
		want = capture_bytes - session->captured;
		if (want > move->length)
			want = move->length;
	}
	if (want == 0)
		EMIT_TIER(0);
	else if (want <= CAPTURE_SMALL)
		EMIT_TIER(CAPTURE_SMALL);
	else if (want <= CAPTURE_MEDIUM)
		EMIT_TIER(CAPTURE_MEDIUM);
	else
		EMIT_TIER(CAPTURE_MAX);
	if (!event)
		count(STAT_TLS_RING_FULL);
	session->position[direction] += move->length;
}

/* In C libraries: read, write and their like. */
SEC("uprobe")
int on_tls_call(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 cookie = bpf_get_attach_cookie(ctx);
	struct tls_call_state *call;

	if (!selected_thread(task))
		return 0;
	call = bpf_task_storage_get(&tls_calls, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call) {
		count(STAT_TLS_STATE_FULL);
		return 0;
	}
	call->session = PT_REGS_PARM1(ctx);
	call->buffer = PT_REGS_PARM2(ctx);
	call->start = bpf_ktime_get_ns();
	switch (TLS_COOKIE_CALL(cookie)) {
	case TLS_CALL_COUNT_ARG3:
		call->count = PT_REGS_PARM4(ctx);
		break;
	case TLS_CALL_COUNT_ARG4:
		call->count = PT_REGS_PARM5(ctx);
		break;
	default:
		call->count = 0;
	}
	return 0;
}

SEC("uretprobe")
int on_tls_return(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	/* The result is an int in most of these functions: the upper half of the register is anything. */
	__s32 result = (__s32)PT_REGS_RC(ctx);
	struct tls_move move = {};
	struct tls_call_state *call;
	__u64 bytes = 0;

	call = bpf_task_storage_get(&tls_calls, task, NULL, 0);
	if (!call || call->session == 0)
		return 0;
	move.session = call->session;
	move.buffer = call->buffer;
	move.start = call->start;
	call->session = 0;
	if (result <= 0)
		return 0;
	move.cookie = bpf_get_attach_cookie(ctx);
	if (TLS_COOKIE_CALL(move.cookie) == TLS_CALL_RESULT)
		bytes = result;
	else if (bpf_probe_read_user(&bytes, sizeof(bytes), (const void *)call->count))
		count(STAT_TLS_FAULT);
	if (bytes == 0)
		return 0;
	move.length = bytes;
	emit_move(task, &move);
	return 0;
}

/* The library frees the session: its address may be another one's next. */
SEC("uprobe")
int on_tls_free(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct session_key key = { .address = PT_REGS_PARM1(ctx), .tgid = task->tgid };
	struct session_state *session = bpf_map_lookup_elem(&tls_sessions, &key);
	struct tls_close_event *event;

	if (!session)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (event) {
		event->hdr.kind = EVENT_TLS_CLOSE;
		event->hdr.flags = 0;
		event->hdr.size = sizeof(*event);
		event->hdr.time = bpf_ktime_get_ns();
		event->tgid = task->tgid;
		event->tid = task->pid;
		event->session = session->id;
		event->turns = session->turn;
		event->_pad = 0;
		bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
		count(STAT_TLS_EVENTS);
	} else {
		count(STAT_TLS_RING_FULL);
	}
	bpf_map_delete_elem(&tls_sessions, &key);
	return 0;
}

/*
 * Go's register ABI (cmd/compile/abi-internal.md, Go >= 1.17): arguments in AX, BX, CX, DI …; the goroutine in R14.
 * arm64: R0, R1, R2 …; the goroutine in R28.
 */
#if defined(__TARGET_ARCH_x86)
#define GO_ARG0(ctx) ((ctx)->ax)
#define GO_ARG1(ctx) ((ctx)->bx)
#define GO_ARG2(ctx) ((ctx)->cx)
#define GO_GOROUTINE(ctx) ((ctx)->r14)
/* The probe sits on the jump of the stack check: when it jumps, the stack grows and the function begins again. */
#define GO_BEGINS_AGAIN(ctx) ((ctx)->flags & 0x41) /* CF, ZF: below or equal */
#elif defined(__TARGET_ARCH_arm64)
#define GO_ARG0(ctx) ((ctx)->regs[0])
#define GO_ARG1(ctx) ((ctx)->regs[1])
#define GO_ARG2(ctx) ((ctx)->regs[2])
#define GO_GOROUTINE(ctx) ((ctx)->regs[28])
#define GO_BEGINS_AGAIN(ctx) (!((ctx)->pstate & (1 << 29)) || ((ctx)->pstate & (1 << 30))) /* !C || Z: b.ls */
#endif

/*
 * The socket below a crypto/tls.Conn, 0 when its net.Conn is not one of the net package's.
 *
 *     tls.Conn.conn (interface: type, data) -> net.TCPConn.fd -> net.netFD.pfd: poll.FD { fdmu [16]byte; Sysfd int }
 *
 * The same since Go 1.9 (src/crypto/tls/conn.go, src/net/net.go, src/net/fd_unix.go, src/internal/poll/fd_unix.go). A
 * wrapper in between makes this read something else; what is no TCP socket of the process is not believed.
 */
static __always_inline __u64 go_socket_cookie(struct task_struct *task, __u64 connection)
{
	__u64 data = 0, net_fd = 0;
	struct file *file;
	struct sock *sk;
	__u64 fd = 0;

	if (bpf_probe_read_user(&data, sizeof(data), (const void *)(connection + 8)) ||
	    bpf_probe_read_user(&net_fd, sizeof(net_fd), (const void *)data) ||
	    bpf_probe_read_user(&fd, sizeof(fd), (const void *)(net_fd + 16)) || fd >> 31)
		return 0;
	file = file_of_fd(task, fd);
	if (!file || kind_of_file(file) != FD_SOCKET)
		return 0;
	sk = sock_of_file(file);
	return sk && is_inet(BPF_CORE_READ(sk, __sk_common.skc_family)) ? cookie_or_address(sk) : 0;
}

SEC("uprobe")
int on_go_write(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tls_move move = {};

	if (GO_BEGINS_AGAIN(ctx) || GO_ARG2(ctx) == 0 || !selected_thread(task))
		return 0;
	move.session = GO_ARG0(ctx);
	move.buffer = GO_ARG1(ctx);
	move.length = GO_ARG2(ctx);
	move.cookie = bpf_get_attach_cookie(ctx);
	move.socket_cookie = go_socket_cookie(task, move.session);
	move.start = bpf_ktime_get_ns();
	emit_move(task, &move);
	return 0;
}

SEC("uprobe")
int on_go_read(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct session_key key = { .address = GO_GOROUTINE(ctx), .tgid = task->tgid };
	struct go_read read = {};

	if (GO_BEGINS_AGAIN(ctx) || !selected_thread(task))
		return 0;
	read.connection = GO_ARG0(ctx);
	read.start = bpf_ktime_get_ns();
	bpf_map_update_elem(&go_reads, &key, &read, BPF_ANY);
	return 0;
}

/* At the call of runtime.memmove(to, from, size) by which Read hands out plaintext. */
SEC("uprobe")
int on_go_copy(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct session_key key = { .address = GO_GOROUTINE(ctx), .tgid = task->tgid };
	struct tls_move move = {};
	struct go_read *read;

	if (GO_ARG2(ctx) == 0 || !selected_thread(task))
		return 0;
	read = bpf_map_lookup_elem(&go_reads, &key);
	if (!read)
		return 0;
	move.session = read->connection;
	move.start = read->start;
	move.buffer = GO_ARG1(ctx);
	move.length = GO_ARG2(ctx);
	move.cookie = bpf_get_attach_cookie(ctx);
	move.socket_cookie = go_socket_cookie(task, move.session);
	emit_move(task, &move);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
