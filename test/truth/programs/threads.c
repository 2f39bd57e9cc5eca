/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server with one thread for each connection that does what a request's script says and writes down what it did.
 *
 *   GET /run?s=burn:3,lock:0,sleep:5,read:0,call:4     (numbers are milliseconds; lock and read take what they take)
 *
 * On stdout, which the agent cannot see: READY and the port, then a line of JSON for each span. To the agent it sends
 * what an SDK would: OTLP/JSON, from a thread of its own. Environment: OTLP_PORT, PEER_PORT, READ_FILE.
 * Ends when its stdin does.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "truth.h"

#define MAX_STEPS 16
#define OUT_BYTES (4 << 20)
#define SERVER 2
#define CLIENT 3

struct step {
	char op[8];
	uint64_t from, to, cpu, runqueue;
};

struct span {
	char trace[33], id[17], parent[17];
	int kind;
	uint64_t start, end, cpu, runqueue;
	struct step steps[MAX_STEPS];
	int step_count;
};

struct text {
	char *at;
	size_t length;
	pthread_mutex_t lock;
};

static struct text spans = { .lock = PTHREAD_MUTEX_INITIALIZER };
static struct text truth = { .lock = PTHREAD_MUTEX_INITIALIZER };
static pthread_mutex_t contended = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t ids_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t unix_offset, next_id;
static int otlp_port, peer_port;
static const char *read_file;

static uint64_t clock_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Time in which this thread was ready and not running, by the scheduler's own count. */
static uint64_t waited_for_cpu(void)
{
	static __thread int fd = -1;
	char line[96] = "";
	unsigned long long ran = 0, waited = 0;

	if (fd < 0)
		fd = must("schedstat", open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC));
	if (pread(fd, line, sizeof(line) - 1, 0) > 0)
		sscanf(line, "%llu %llu", &ran, &waited);
	return waited;
}

static void new_id(char id[17])
{
	pthread_mutex_lock(&ids_lock);
	next_id = next_id * 6364136223846793005ull + 1442695040888963407ull;
	snprintf(id, 17, "%016llx", (unsigned long long)(next_id | 1));
	pthread_mutex_unlock(&ids_lock);
}

static void append(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->at + text->length, OUT_BYTES - text->length, format, arguments);
	va_end(arguments);
	if (length < 0 || text->length + length >= OUT_BYTES) {
		fprintf(stderr, "too much to tell\n");
		exit(1);
	}
	text->length += length;
}

static void tell(const struct span *span)
{
	pthread_mutex_lock(&spans.lock);
	append(&spans,
	       "%s{\"traceId\":\"%s\",\"spanId\":\"%s\",\"parentSpanId\":\"%s\",\"name\":\"%s\",\"kind\":%d,"
	       "\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\"}",
	       spans.length > 0 ? "," : "", span->trace, span->id, span->parent,
	       span->kind == SERVER ? "GET /run" : "GET /wait", span->kind,
	       (unsigned long long)(span->start + unix_offset), (unsigned long long)(span->end + unix_offset));
	pthread_mutex_unlock(&spans.lock);
	pthread_mutex_lock(&truth.lock);
	append(&truth, "{\"trace\":\"%s\",\"span\":\"%s\",\"kind\":%d,\"start\":%llu,\"end\":%llu,\"cpu\":%llu,\"runqueue\":%llu,"
		       "\"tid\":%d,\"steps\":[",
	       span->trace, span->id, span->kind, (unsigned long long)span->start, (unsigned long long)span->end,
	       (unsigned long long)span->cpu, (unsigned long long)span->runqueue, thread_id());
	for (int index = 0; index < span->step_count; index++) {
		const struct step *step = &span->steps[index];

		append(&truth, "%s{\"op\":\"%s\",\"from\":%llu,\"to\":%llu,\"cpu\":%llu,\"runqueue\":%llu}", index ? "," : "",
		       step->op, (unsigned long long)step->from, (unsigned long long)step->to,
		       (unsigned long long)step->cpu, (unsigned long long)step->runqueue);
	}
	append(&truth, "]}\n");
	pthread_mutex_unlock(&truth.lock);
}

static int connect_to(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = must("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	must("connect", connect(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

/* Reads until a message's head is whole and skips a body of `content-length`. False at the end of the stream. */
static int read_message(int fd, char *head, size_t size)
{
	size_t length = 0;
	char *end, *field;
	long body;

	for (;;) {
		ssize_t got = read(fd, head + length, size - 1 - length);

		if (got <= 0)
			return 0;
		length += got;
		head[length] = 0;
		end = strstr(head, "\r\n\r\n");
		if (end)
			break;
	}
	field = strcasestr(head, "\r\ncontent-length:");
	body = field ? atol(field + 17) - (long)(length - (end + 4 - head)) : 0;
	while (body > 0) {
		char rest[4096];
		ssize_t got = read(fd, rest, sizeof(rest));

		if (got <= 0)
			return 0;
		body -= got;
	}
	return 1;
}

static void write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = write(fd, bytes, length);

		if (sent <= 0)
			return;
		bytes += sent;
		length -= sent;
	}
}

static void burn(int ms)
{
	uint64_t until = clock_of(CLOCK_THREAD_CPUTIME_ID) + ms * 1000000ull;
	volatile unsigned int work = 0;

	while (clock_of(CLOCK_THREAD_CPUTIME_ID) < until)
		for (int count = 0; count < 2000; count++)
			work += count;
}

static void call_peer(const struct span *server, int ms)
{
	static __thread int fd = -1;
	struct span span = { .kind = CLIENT, .step_count = 1 };
	char head[4096];
	uint64_t waited = waited_for_cpu(), ran = clock_of(CLOCK_THREAD_CPUTIME_ID);
	int length;

	memcpy(span.trace, server->trace, sizeof(span.trace));
	memcpy(span.parent, server->id, sizeof(span.parent));
	new_id(span.id);
	span.start = now_ns();
	if (fd < 0)
		fd = connect_to(peer_port);
	length = snprintf(head, sizeof(head), "GET /wait?ms=%d HTTP/1.1\r\nhost: peer\r\ntraceparent: 00-%s-%s-01\r\n\r\n", ms,
			  span.trace, span.id);
	write_all(fd, head, length);
	read_message(fd, head, sizeof(head));
	span.end = now_ns();
	span.cpu = clock_of(CLOCK_THREAD_CPUTIME_ID) - ran;
	span.runqueue = waited_for_cpu() - waited;
	strcpy(span.steps[0].op, "call");
	span.steps[0].from = span.start;
	span.steps[0].to = span.end;
	span.steps[0].cpu = span.cpu;
	span.steps[0].runqueue = span.runqueue;
	tell(&span);
}

static void read_all(void)
{
	static __thread char block[65536];
	int fd = must(read_file, open(read_file, O_RDONLY | O_CLOEXEC));

	while (read(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static void do_step(struct span *span, const char *op, int ms)
{
	struct step *step = &span->steps[span->step_count++];
	uint64_t waited = waited_for_cpu(), ran = clock_of(CLOCK_THREAD_CPUTIME_ID);

	snprintf(step->op, sizeof(step->op), "%s", op);
	step->from = now_ns();
	if (!strcmp(op, "burn"))
		burn(ms);
	else if (!strcmp(op, "sleep"))
		sleep_ms(ms);
	else if (!strcmp(op, "lock")) {
		pthread_mutex_lock(&contended);
		pthread_mutex_unlock(&contended);
	} else if (!strcmp(op, "read"))
		read_all();
	else if (!strcmp(op, "call"))
		call_peer(span, ms);
	step->to = now_ns();
	step->cpu = clock_of(CLOCK_THREAD_CPUTIME_ID) - ran;
	step->runqueue = waited_for_cpu() - waited;
}

static void run_script(struct span *span, const char *script)
{
	char op[8];
	int ms, length;

	while (span->step_count < MAX_STEPS && sscanf(script, "%7[a-z]:%d%n", op, &ms, &length) == 2) {
		do_step(span, op, ms);
		script += length;
		if (*script++ != ',')
			break;
	}
}

static void *serve(void *argument)
{
	static const char response[] = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
	int fd = (int)(intptr_t)argument;
	char head[4096];

	/* The first use opens a file, which is not a part of any request. */
	waited_for_cpu();
	while (read_message(fd, head, sizeof(head))) {
		struct span span = { .kind = SERVER };
		uint64_t waited = waited_for_cpu(), ran = clock_of(CLOCK_THREAD_CPUTIME_ID);
		const char *context = strcasestr(head, "traceparent: 00-"), *script = strstr(head, "s=");

		span.start = now_ns();
		if (context && strlen(context) > 16 + 49) {
			memcpy(span.trace, context + 16, 32);
			memcpy(span.parent, context + 16 + 33, 16);
		}
		new_id(span.id);
		if (script)
			run_script(&span, script + 2);
		write_all(fd, response, sizeof(response) - 1);
		span.end = now_ns();
		span.cpu = clock_of(CLOCK_THREAD_CPUTIME_ID) - ran;
		span.runqueue = waited_for_cpu() - waited;
		tell(&span);
	}
	close(fd);
	return NULL;
}

/* Holds the lock that requests wait for, 4 ms of every 6, and takes the file out of memory that they read. */
static void *hinder(void *argument)
{
	int fd = must(read_file, open(read_file, O_RDONLY | O_CLOEXEC));

	(void)argument;
	for (;;) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		pthread_mutex_lock(&contended);
		sleep_ms(4);
		pthread_mutex_unlock(&contended);
		sleep_ms(2);
	}
	return NULL;
}

static void send_spans(void)
{
	static char head[512], message[OUT_BYTES + 1024];
	static int fd = -1;
	int body_length, length;

	pthread_mutex_lock(&spans.lock);
	body_length = spans.length == 0 ? 0 :
		      snprintf(message, sizeof(message),
			       "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
			       "{\"stringValue\":\"truth-c\"}}]},\"scopeSpans\":[{\"spans\":[%.*s]}]}]}",
			       (int)spans.length, spans.at);
	spans.length = 0;
	pthread_mutex_unlock(&spans.lock);
	if (body_length == 0)
		return;
	if (fd < 0)
		fd = connect_to(otlp_port);
	length = snprintf(head, sizeof(head),
			  "POST /v1/traces HTTP/1.1\r\nhost: agent\r\ncontent-type: application/json\r\n"
			  "content-length: %d\r\n\r\n",
			  body_length);
	write_all(fd, head, length);
	write_all(fd, message, body_length);
	read_message(fd, head, sizeof(head));
	pthread_mutex_lock(&truth.lock);
	fwrite(truth.at, 1, truth.length, stdout);
	fflush(stdout);
	truth.length = 0;
	pthread_mutex_unlock(&truth.lock);
}

static void *export(void *argument)
{
	(void)argument;
	for (;;) {
		sleep_ms(200);
		send_spans();
	}
	return NULL;
}

static void *accept_all(void *argument)
{
	int listener = (int)(intptr_t)argument;

	for (;;) {
		int one = 1, fd = must("accept", accept4(listener, NULL, NULL, SOCK_CLOEXEC));
		pthread_t thread;

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd);
		pthread_detach(thread);
	}
	return NULL;
}

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int listener = must("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	pthread_t thread;
	char byte;

	otlp_port = atoi(getenv("OTLP_PORT") ?: "0");
	peer_port = atoi(getenv("PEER_PORT") ?: "0");
	read_file = getenv("READ_FILE") ?: "/proc/self/exe";
	spans.at = malloc(OUT_BYTES);
	truth.at = malloc(OUT_BYTES);
	unix_offset = clock_of(CLOCK_REALTIME) - now_ns();
	next_id = clock_of(CLOCK_REALTIME) ^ ((uint64_t)getpid() << 40);
	must("bind", bind(listener, (struct sockaddr *)&address, sizeof(address)));
	must("listen", listen(listener, 128));
	must("getsockname", getsockname(listener, (struct sockaddr *)&address, &length));
	pthread_create(&thread, NULL, hinder, NULL);
	pthread_create(&thread, NULL, export, NULL);
	pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)listener);
	printf("READY %d\n", ntohs(address.sin_port));
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	sleep_ms(500); /* the exporting thread tells the rest */
	exit(0);
}
