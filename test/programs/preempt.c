// SPDX-License-Identifier: Apache-2.0
/* Two threads compete for one CPU until the main thread has had 30 ms of it: the rest of its time it was runnable. */
#include <sched.h>

#include "truth.h"

static volatile int stop;

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *compete(void *unused)
{
	(void)unused;
	while (!stop)
		;
	return NULL;
}

int main(void)
{
	uint64_t start, end, cpu_start, cpu;
	pthread_t competitor;
	char extra[64];
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	must("sched_setaffinity", sched_setaffinity(0, sizeof(one), &one));
	pthread_create(&competitor, NULL, compete, NULL);
	start = now_ns();
	cpu_start = cpu_ns();
	while (cpu_ns() - cpu_start < 30000000)
		;
	cpu = cpu_ns() - cpu_start;
	end = now_ns();
	stop = 1;
	pthread_join(competitor, NULL);
	snprintf(extra, sizeof(extra), ",\"cpu\":%llu", (unsigned long long)cpu);
	print_truth(thread_id(), start, end, extra);
	return 0;
}
