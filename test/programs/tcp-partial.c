// SPDX-License-Identifier: Apache-2.0
/*
 * Sends 2 MiB over a non-blocking socket with a small buffer: most send() calls are accepted in part, and the program
 * offers the rest again. Another thread reads.
 */
#include <fcntl.h>
#include <poll.h>

#include "tcp.h"

#define TOTAL (2 << 20)

static int server;

static void *read_all(void *unused)
{
	static char buffer[16384];
	ssize_t size;

	(void)unused;
	do
		size = must("read", read(server, buffer, sizeof(buffer)));
	while (size > 0);
	return NULL;
}

int main(void)
{
	static char data[TOTAL];
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address);
	int client = connect_to(&address);
	int small = 16384, calls = 0, partial = 0;
	struct pollfd writable = { .fd = client, .events = POLLOUT };
	uint64_t start = now_ns();
	pthread_t reader;
	char extra[128];

	memset(data, 'x', sizeof(data)); /* pages that were never written are not there to be read */
	server = must("accept", accept(listener, NULL, NULL));
	must("setsockopt", setsockopt(client, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)));
	must("fcntl", fcntl(client, F_SETFL, O_NONBLOCK));
	pthread_create(&reader, NULL, read_all, NULL);
	for (size_t done = 0; done < TOTAL;) {
		ssize_t size = send(client, data + done, TOTAL - done, MSG_NOSIGNAL);

		if (size < 0 && errno == EAGAIN) {
			must("poll", poll(&writable, 1, 5000));
			continue;
		}
		must("send", size);
		calls++;
		partial += done + size < TOTAL;
		done += size;
	}
	shutdown(client, SHUT_WR);
	pthread_join(reader, NULL);
	snprintf(extra, sizeof(extra), ",\"port\":%d,\"calls\":%d,\"partial\":%d,\"bytes\":%d",
		 ntohs(address.sin_port), calls, partial, TOTAL);
	print_truth(thread_id(), start, now_ns(), extra);
	return 0;
}
