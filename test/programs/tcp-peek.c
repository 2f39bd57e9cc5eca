// SPDX-License-Identifier: Apache-2.0
/* Receives one message of 12 bytes, looking at it with MSG_PEEK first. */
#include "tcp.h"

int main(void)
{
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address);
	int client = connect_to(&address);
	int server = must("accept", accept(listener, NULL, NULL));
	uint64_t start = now_ns();
	char buffer[64], extra[64];

	must("send", send(client, "twelve bytes", 12, 0));
	must("recv", recv(server, buffer, sizeof(buffer), MSG_PEEK));
	must("recv", recv(server, buffer, sizeof(buffer), 0));
	snprintf(extra, sizeof(extra), ",\"port\":%d", ntohs(address.sin_port));
	print_truth(thread_id(), start, now_ns(), extra);
	return 0;
}
