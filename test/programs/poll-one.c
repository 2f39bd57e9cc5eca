// SPDX-License-Identifier: Apache-2.0
/* Polls one TCP socket (as database drivers do) whose peer sends after 20 ms. */
#include <poll.h>

#include "tcp.h"

static int server_end;

static void *answer_later(void *unused)
{
	(void)unused;
	sleep_ms(20);
	must("send", send(server_end, "x", 1, 0));
	return NULL;
}

int main(void)
{
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address);
	struct pollfd only = { .fd = connect_to(&address), .events = POLLIN };
	uint64_t start, end;
	pthread_t peer;
	char extra[64];

	server_end = must("accept", accept(listener, NULL, NULL));
	pthread_create(&peer, NULL, answer_later, NULL);
	start = now_ns();
	must("poll", poll(&only, 1, 5000));
	end = now_ns();
	pthread_join(peer, NULL);
	snprintf(extra, sizeof(extra), ",\"remotePort\":%d", ntohs(address.sin_port));
	print_truth(thread_id(), start, end, extra);
	return 0;
}
