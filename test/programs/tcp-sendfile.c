// SPDX-License-Identifier: Apache-2.0
/* Sends the first 4096 bytes of its own program file with sendfile(). */
#include <fcntl.h>
#include <sys/sendfile.h>

#include "tcp.h"

int main(int count, char **arguments)
{
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address);
	int client = connect_to(&address);
	int server = must("accept", accept(listener, NULL, NULL));
	uint64_t start = now_ns();
	char buffer[8192], extra[64];
	int file;

	(void)count;
	file = must("open", open(arguments[0], O_RDONLY));
	must("sendfile", sendfile(client, file, NULL, 4096));
	must("recv", recv(server, buffer, sizeof(buffer), 0));
	snprintf(extra, sizeof(extra), ",\"port\":%d", ntohs(address.sin_port));
	print_truth(thread_id(), start, now_ns(), extra);
	return 0;
}
