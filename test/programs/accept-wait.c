// SPDX-License-Identifier: Apache-2.0
/* Waits in accept() for a connection that another thread makes after 20 ms. */
#include "tcp.h"

static struct sockaddr_in address;
static pid_t client_tid;

static void *connect_later(void *unused)
{
	(void)unused;
	client_tid = thread_id();
	sleep_ms(20);
	close(connect_to(&address));
	return NULL;
}

int main(void)
{
	int listener = listen_on_loopback(&address);
	uint64_t start, end;
	pthread_t client;
	char extra[128];

	pthread_create(&client, NULL, connect_later, NULL);
	start = now_ns();
	must("accept", accept(listener, NULL, NULL));
	end = now_ns();
	pthread_join(client, NULL);
	snprintf(extra, sizeof(extra), ",\"waker\":%d,\"localPort\":%d", client_tid, ntohs(address.sin_port));
	print_truth(thread_id(), start, end, extra);
	return 0;
}
