// SPDX-License-Identifier: Apache-2.0
/* Starts a thread that ends at once, then ends itself. */
#include "truth.h"

static pid_t second_tid;

static void *end(void *unused)
{
	(void)unused;
	second_tid = thread_id();
	return NULL;
}

int main(void)
{
	pthread_t second;
	char extra[64];

	pthread_create(&second, NULL, end, NULL);
	pthread_join(second, NULL);
	snprintf(extra, sizeof(extra), ",\"second\":%d", second_tid);
	print_truth(thread_id(), 0, now_ns(), extra);
	return 0;
}
