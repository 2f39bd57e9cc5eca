// SPDX-License-Identifier: Apache-2.0
/* Sends a datagram to a port where nobody listens, and learns of it from the next receive. Argument: the port. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "truth.h"

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int client = must("socket", socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	uint64_t start = now_ns();
	char buffer[64], extra[64];
	int error;

	address.sin_port = htons(argc > 1 ? atoi(argv[1]) : 9);
	must("connect", connect(client, (struct sockaddr *)&address, sizeof(address)));
	must("send", send(client, "anybody?", 8, 0));
	error = recv(client, buffer, sizeof(buffer), 0) < 0 ? errno : 0;
	snprintf(extra, sizeof(extra), ",\"error\":%d", error);
	print_truth(thread_id(), start, now_ns(), extra);
	return 0;
}
