// SPDX-License-Identifier: Apache-2.0
/* Two threads that sleep 5 ms again and again, until the process is ended. */
#include "truth.h"

static void *tick(void *unused)
{
	(void)unused;
	for (;;)
		sleep_ms(5);
	return NULL;
}

int main(void)
{
	pthread_t second;

	pthread_create(&second, NULL, tick, NULL);
	print_truth(thread_id(), now_ns(), 0, "");
	tick(NULL);
	return 0;
}
