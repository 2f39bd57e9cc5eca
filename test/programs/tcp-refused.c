// SPDX-License-Identifier: Apache-2.0
/* Connects to a port of the loopback on which nobody listens. */
#include "tcp.h"

int main(void)
{
	struct sockaddr_in address;
	int client = must("socket", socket(AF_INET, SOCK_STREAM, 0));
	uint64_t start;
	char extra[64];

	close(listen_on_loopback(&address));
	start = now_ns();
	if (connect(client, (struct sockaddr *)&address, sizeof(address)) == 0 || errno != ECONNREFUSED)
		return 1;
	close(client);
	snprintf(extra, sizeof(extra), ",\"port\":%d", ntohs(address.sin_port));
	print_truth(thread_id(), start, now_ns(), extra);
	return 0;
}
