// SPDX-License-Identifier: Apache-2.0
/* Uses the CPU for the given number of milliseconds of CPU time (default 20), in the function burn_here(). */
#include "truth.h"

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

__attribute__((noinline)) uint64_t burn_here(uint64_t value)
{
	for (int i = 0; i < 20000; i++)
		value = value * 6364136223846793005ULL + 1442695040888963407ULL;
	return value;
}

int main(int count, char **arguments)
{
	uint64_t length = (count > 1 ? atoi(arguments[1]) : 20) * 1000000ULL;
	uint64_t start = now_ns(), cpu_start = cpu_ns(), end, value = 1;
	char extra[128];

	while (cpu_ns() - cpu_start < length)
		value = burn_here(value);
	end = now_ns();
	snprintf(extra, sizeof(extra), ",\"cpu\":%llu,\"function\":%llu,\"value\":%llu",
		 (unsigned long long)(cpu_ns() - cpu_start), (unsigned long long)(uintptr_t)burn_here,
		 (unsigned long long)value);
	print_truth(thread_id(), start, end, extra);
	return 0;
}
