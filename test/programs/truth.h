/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the test programs: each does exactly one thing and prints one JSON line with its own clock's truth about
 * it, so that tests compare what the kernel reported with what the program knows.
 */
#ifndef KINDLING_TEST_TRUTH_H
#define KINDLING_TEST_TRUTH_H

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* CLOCK_MONOTONIC, ns: the clock of the kernel's records. */
static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline pid_t thread_id(void)
{
	return syscall(SYS_gettid);
}

static inline void sleep_ms(int ms)
{
	struct timespec length = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&length, &length) && errno == EINTR)
		;
}

/* `result` < 0: says what failed and ends the program. */
static inline int must(const char *what, int result)
{
	if (result < 0) {
		fprintf(stderr, "%s: %s\n", what, strerror(errno));
		exit(1);
	}
	return result;
}

/* `extra`: further members, starting with a comma, or "". */
static inline void print_truth(pid_t tid, uint64_t start, uint64_t end, const char *extra)
{
	printf("{\"pid\":%d,\"tid\":%d,\"start\":%llu,\"end\":%llu%s}\n", getpid(), tid, (unsigned long long)start,
	       (unsigned long long)end, extra);
	fflush(stdout);
}

#endif
