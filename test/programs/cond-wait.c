// SPDX-License-Identifier: Apache-2.0
/* The main thread waits 20 ms for a condition that another thread signals. */
#include "truth.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int ready;
static pid_t signaller_tid;

static void *signal_later(void *unused)
{
	(void)unused;
	signaller_tid = thread_id();
	sleep_ms(20);
	pthread_mutex_lock(&mutex);
	ready = 1;
	pthread_mutex_unlock(&mutex);
	pthread_cond_signal(&condition);
	return NULL;
}

int main(void)
{
	char extra[64];
	pthread_t signaller;
	uint64_t start, end;

	pthread_create(&signaller, NULL, signal_later, NULL);
	start = now_ns();
	pthread_mutex_lock(&mutex);
	while (!ready)
		pthread_cond_wait(&condition, &mutex);
	pthread_mutex_unlock(&mutex);
	end = now_ns();
	pthread_join(signaller, NULL);
	snprintf(extra, sizeof(extra), ",\"waker\":%d", signaller_tid);
	print_truth(thread_id(), start, end, extra);
	return 0;
}
