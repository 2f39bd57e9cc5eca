/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server with one thread for each connection, whose every request does known things: burns 20 ms of CPU, waits
 * about 15 ms for a mutex that another thread holds, reads from a peer that answers after 30 ms, sleeps 10 ms, writes a
 * file and syncs it.
 *
 *   one-request DIRECTORY     prints {"port":N}, then for each request a line with what its thread's clocks say
 *
 * Truth of a class: wall time of the step, less the thread's CPU time (CLOCK_THREAD_CPUTIME_ID) and less its time in
 * the run queue (/proc/thread-self/schedstat) during it. CPU and run queue are those of the whole request.
 */
#include <fcntl.h>
#include <semaphore.h>

#include "tcp.h"
#include "truth.h"

#define HOLD_MS 15
#define PEER_MS 30

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t take, taken;
static struct sockaddr_in peer_address;
static const char *directory;

struct clocks {
	uint64_t wall, cpu, queue;
};

static struct clocks read_clocks(void)
{
	static __thread int schedstat = -1;
	struct clocks now = { 0, 0, 0 };
	struct timespec cpu;
	char text[128];
	ssize_t length;

	if (schedstat < 0)
		schedstat = must("open schedstat", open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC));
	length = must("read schedstat", pread(schedstat, text, sizeof(text) - 1, 0));
	text[length] = 0;
	if (sscanf(text, "%*u %lu", &now.queue) != 1)
		must("parse schedstat", -1);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	now.cpu = (uint64_t)cpu.tv_sec * 1000000000 + cpu.tv_nsec;
	now.wall = now_ns();
	return now;
}

/* Neither running nor runnable between both readings. */
static uint64_t blocked(const struct clocks *from, const struct clocks *to)
{
	uint64_t active = (to->cpu - from->cpu) + (to->queue - from->queue);
	uint64_t wall = to->wall - from->wall;

	return wall > active ? wall - active : 0;
}

static void *hold_lock(void *unused)
{
	for (;;) {
		while (sem_wait(&take))
			;
		pthread_mutex_lock(&lock);
		sem_post(&taken);
		sleep_ms(HOLD_MS);
		pthread_mutex_unlock(&lock);
	}
	return unused;
}

static void *answer_slowly(void *listener)
{
	int fd = must("accept", accept(*(int *)listener, NULL, NULL));
	char byte;

	while (read(fd, &byte, 1) == 1) {
		sleep_ms(PEER_MS);
		must("answer", write(fd, &byte, 1));
	}
	return NULL;
}

static void burn(uint64_t ns)
{
	struct timespec now;
	uint64_t until = 0;

	do {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
		if (!until)
			until = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec + ns;
	} while ((uint64_t)now.tv_sec * 1000000000 + now.tv_nsec < until);
}

static void write_and_sync(void)
{
	static char block[256 * 1024];
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/one-request.data", directory);
	fd = must("open", open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	must("write", write(fd, block, sizeof(block)));
	must("fsync", fsync(fd));
	close(fd);
}

static void serve(int fd, int peer, const struct clocks *start)
{
	static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	struct clocks at[6], end;
	char byte = 'x';

	burn(20000000);
	at[0] = read_clocks();
	sem_post(&take);
	while (sem_wait(&taken))
		;
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	at[1] = read_clocks();
	must("ask", write(peer, &byte, 1));
	must("read answer", read(peer, &byte, 1));
	at[2] = read_clocks();
	sleep_ms(10);
	at[3] = read_clocks();
	write_and_sync();
	at[4] = read_clocks();
	end = read_clocks();
	must("respond", write(fd, response, sizeof(response) - 1));
	printf("{\"pid\":%d,\"tid\":%d,\"start\":%lu,\"end\":%lu,\"cpu\":%lu,\"runqueue\":%lu,\"lock\":%lu,\"net\":%lu,"
	       "\"sleep\":%lu,\"disk\":%lu}\n",
	       getpid(), thread_id(), start->wall, end.wall, end.cpu - start->cpu, end.queue - start->queue,
	       blocked(&at[0], &at[1]), blocked(&at[1], &at[2]), blocked(&at[2], &at[3]), blocked(&at[3], &at[4]));
	fflush(stdout);
}

static void *serve_connection(void *connection)
{
	int fd = *(int *)connection, peer = connect_to(&peer_address);
	char request[4096];
	struct clocks start;

	free(connection);
	read_clocks();
	while (read(fd, request, sizeof(request)) > 0) {
		start = read_clocks();
		serve(fd, peer, &start);
	}
	close(fd);
	close(peer);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address;
	int listener, peer_listener, *fd;
	pthread_t thread;

	if (argc != 2) {
		fprintf(stderr, "usage: one-request DIRECTORY\n");
		return 2;
	}
	directory = argv[1];
	sem_init(&take, 0, 0);
	sem_init(&taken, 0, 0);
	peer_listener = listen_on_loopback(&peer_address);
	pthread_create(&thread, NULL, hold_lock, NULL);
	pthread_create(&thread, NULL, answer_slowly, &peer_listener);
	listener = listen_on_loopback(&address);
	printf("{\"port\":%d}\n", ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		fd = malloc(sizeof(*fd));
		*fd = must("accept", accept(listener, NULL, NULL));
		pthread_create(&thread, NULL, serve_connection, fd);
	}
}
