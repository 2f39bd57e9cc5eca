// SPDX-License-Identifier: Apache-2.0
/* Reads from a pipe into which another thread writes after 20 ms. */
#include "truth.h"

static int ends[2];
static pid_t writer_tid;

static void *write_later(void *unused)
{
	(void)unused;
	writer_tid = thread_id();
	sleep_ms(20);
	must("write", write(ends[1], "x", 1));
	return NULL;
}

int main(void)
{
	char extra[64], byte;
	pthread_t writer;
	uint64_t start, end;

	must("pipe", pipe(ends));
	pthread_create(&writer, NULL, write_later, NULL);
	start = now_ns();
	must("read", read(ends[0], &byte, 1));
	end = now_ns();
	pthread_join(writer, NULL);
	snprintf(extra, sizeof(extra), ",\"waker\":%d,\"fd\":%d", writer_tid, ends[0]);
	print_truth(thread_id(), start, end, extra);
	return 0;
}
