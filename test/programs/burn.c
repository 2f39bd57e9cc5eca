// SPDX-License-Identifier: Apache-2.0
/*
 * Uses the CPU for the given number of milliseconds of CPU time (default 20): main() calls burn(), which calls
 * burn_here(). The innermost function has no frame of its own, so a walk of frame pointers goes from it past burn(),
 * whose frame it borrows, to main().
 */
#include "truth.h"

int main(int count, char **arguments);

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

__attribute__((noinline)) uint64_t burn_here(uint64_t value)
{
	for (int i = 0; i < 2000; i++)
		value = value * 6364136223846793005ULL + 1442695040888963407ULL;
	return value;
}

__attribute__((noinline)) uint64_t burn(uint64_t value)
{
	for (int i = 0; i < 10; i++)
		value = burn_here(value + i);
	return value;
}

int main(int count, char **arguments)
{
	uint64_t length = (count > 1 ? atoi(arguments[1]) : 20) * 1000000ULL;
	uint64_t start = now_ns(), cpu_start = cpu_ns(), cpu, end, value = 1;
	char extra[128];

	while (cpu_ns() - cpu_start < length)
		value = burn(value);
	cpu = cpu_ns() - cpu_start;
	end = now_ns();
	snprintf(extra, sizeof(extra), ",\"cpu\":%llu,\"burnHere\":%llu,\"main\":%llu,\"value\":%d",
		 (unsigned long long)cpu, (unsigned long long)(uintptr_t)burn_here,
		 (unsigned long long)(uintptr_t)main, (int)value);
	print_truth(thread_id(), start, end, extra);
	return 0;
}
