// SPDX-License-Identifier: Apache-2.0
/* Reads from a TCP connection whose peer, another thread, answers after 20 ms. */
#include "tcp.h"

static int server_end;
static pid_t peer_tid;

static void *answer_later(void *unused)
{
	(void)unused;
	peer_tid = thread_id();
	sleep_ms(20);
	must("send", send(server_end, "x", 1, 0));
	return NULL;
}

int main(void)
{
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address);
	int client = connect_to(&address);
	char extra[128], byte;
	uint64_t start, end;
	pthread_t peer;

	server_end = must("accept", accept(listener, NULL, NULL));
	pthread_create(&peer, NULL, answer_later, NULL);
	start = now_ns();
	must("read", read(client, &byte, 1));
	end = now_ns();
	pthread_join(peer, NULL);
	snprintf(extra, sizeof(extra), ",\"waker\":%d,\"localPort\":%d,\"remotePort\":%d", peer_tid,
		 local_port(client), ntohs(address.sin_port));
	print_truth(thread_id(), start, end, extra);
	return 0;
}
