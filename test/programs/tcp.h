/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP connection to itself over the loopback. */
#ifndef KINDLING_TEST_TCP_H
#define KINDLING_TEST_TCP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "truth.h"

static inline int listen_on_loopback(struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int listener = must("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must("bind", bind(listener, (struct sockaddr *)address, sizeof(*address)));
	must("listen", listen(listener, 8));
	must("getsockname", getsockname(listener, (struct sockaddr *)address, &length));
	return listener;
}

static inline int connect_to(const struct sockaddr_in *address)
{
	int client = must("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	must("connect", connect(client, (const struct sockaddr *)address, sizeof(*address)));
	return client;
}

static inline int local_port(int fd)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);

	must("getsockname", getsockname(fd, (struct sockaddr *)&address, &length));
	return ntohs(address.sin_port);
}

#endif
