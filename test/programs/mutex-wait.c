// SPDX-License-Identifier: Apache-2.0
/* The main thread waits 20 ms for a mutex that another thread holds. */
#include "truth.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t held;
static pid_t holder_tid;

static void *hold(void *unused)
{
	(void)unused;
	holder_tid = thread_id();
	pthread_mutex_lock(&mutex);
	pthread_barrier_wait(&held);
	sleep_ms(20);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

int main(void)
{
	char extra[128];
	pthread_t holder;
	uint64_t start, end;

	pthread_barrier_init(&held, NULL, 2);
	pthread_create(&holder, NULL, hold, NULL);
	pthread_barrier_wait(&held);
	start = now_ns();
	pthread_mutex_lock(&mutex);
	end = now_ns();
	pthread_join(holder, NULL);
	snprintf(extra, sizeof(extra), ",\"waker\":%d,\"address\":%llu", holder_tid,
		 (unsigned long long)(uintptr_t)&mutex);
	print_truth(thread_id(), start, end, extra);
	return 0;
}
