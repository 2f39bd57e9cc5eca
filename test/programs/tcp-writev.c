// SPDX-License-Identifier: Apache-2.0
/* Sends one message with writev() from three parts; the peer, in the same process, reads it with one readv(). */
#include <sys/uio.h>

#include "tcp.h"

int main(void)
{
	char status[] = "HTTP/1.1 200 OK\r\n", header[] = "Content-Length: 5\r\n\r\n", body[] = "hello";
	char first[10], rest[100], extra[64];
	struct iovec parts[] = { { status, 17 }, { header, 21 }, { body, 5 } };
	struct iovec places[] = { { first, sizeof(first) }, { rest, sizeof(rest) } };
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address);
	int client = connect_to(&address);
	int server = must("accept", accept(listener, NULL, NULL));
	uint64_t start = now_ns();
	int bytes;

	must("writev", writev(client, parts, 3));
	bytes = must("readv", readv(server, places, 2));
	snprintf(extra, sizeof(extra), ",\"port\":%d,\"bytes\":%d", ntohs(address.sin_port), bytes);
	print_truth(thread_id(), start, now_ns(), extra);
	return 0;
}
