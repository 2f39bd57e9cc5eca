// SPDX-License-Identifier: Apache-2.0
/* Sleeps for the given number of milliseconds, default 20. */
#include "truth.h"

int main(int count, char **arguments)
{
	int ms = count > 1 ? atoi(arguments[1]) : 20;
	uint64_t start = now_ns(), end;

	sleep_ms(ms);
	end = now_ns();
	print_truth(thread_id(), start, end, "");
	return 0;
}
