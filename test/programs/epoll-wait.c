// SPDX-License-Identifier: Apache-2.0
/* Waits in epoll_wait() for an eventfd that another thread writes after 20 ms. */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "truth.h"

static int event;

static void *notify_later(void *unused)
{
	(void)unused;
	sleep_ms(20);
	must("eventfd_write", eventfd_write(event, 1));
	return NULL;
}

int main(void)
{
	int set = must("epoll_create1", epoll_create1(0));
	struct epoll_event wanted = { .events = EPOLLIN }, got;
	uint64_t start, end;
	pthread_t notifier;

	event = must("eventfd", eventfd(0, 0));
	must("epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, event, &wanted));
	pthread_create(&notifier, NULL, notify_later, NULL);
	start = now_ns();
	must("epoll_wait", epoll_wait(set, &got, 1, 5000));
	end = now_ns();
	pthread_join(notifier, NULL);
	print_truth(thread_id(), start, end, "");
	return 0;
}
