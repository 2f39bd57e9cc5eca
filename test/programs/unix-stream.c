// SPDX-License-Identifier: Apache-2.0
/*
 * Two messages over a unix stream socket, by read and write and by messages; the answer is read in two parts after a
 * peek; the request's end goes by sendfile; then the client closes. Argument: the path ("@name": abstract).
 */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "truth.h"

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = argc > 1 ? argv[1] : "@kindling-test";
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + strlen(path) + (path[0] == '@' ? 0 : 1);
	int listener = must("socket", socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int client = must("socket", socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int file = must("open", open("/proc/self/exe", O_RDONLY));
	struct iovec parts[2] = { { "request ", 8 }, { "by message", 10 } };
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
	uint64_t start = now_ns();
	char buffer[8192];
	int server;

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (path[0] == '@')
		address.sun_path[0] = 0;
	must("bind", bind(listener, (struct sockaddr *)&address, size));
	must("listen", listen(listener, 1));
	must("connect", connect(client, (struct sockaddr *)&address, size));
	server = must("accept", accept(listener, NULL, NULL));

	must("sendmsg", sendmsg(client, &header, 0));
	must("read", read(server, buffer, sizeof(buffer)));
	must("write", write(server, "the answer", 10));
	must("recv", recv(client, buffer, sizeof(buffer), MSG_PEEK));
	must("recv", recv(client, buffer, 4, 0));
	must("recv", recv(client, buffer, sizeof(buffer), 0));

	must("sendfile", sendfile(client, file, NULL, 4096));
	must("recv", recv(server, buffer, sizeof(buffer), MSG_WAITALL | MSG_DONTWAIT));
	close(client);
	must("read", read(server, buffer, sizeof(buffer)));
	if (path[0] != '@')
		unlink(path);
	print_truth(thread_id(), start, now_ns(), "");
	return 0;
}
