// SPDX-License-Identifier: Apache-2.0
/*
 * Sockets that change hands: a listener inherited over fork(), and an accepted connection passed to another process.
 *
 *   parent    listens; forks "acceptor" and "worker"; connects, asks, reads the answer to its end
 *   acceptor  accepts, reads the request, passes the connection to the worker, ends
 *   worker    answers and closes
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include "tcp.h"

static void pass(int channel, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 }, byte = 'x';
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	must("sendmsg", sendmsg(channel, &message, 0));
}

static int take(int channel)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int fd;

	must("recvmsg", recvmsg(channel, &message, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

int main(void)
{
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address), channel[2], client;
	pid_t acceptor, worker;
	uint64_t start = now_ns();
	char buffer[64], extra[96];

	must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, channel));
	acceptor = must("fork", fork());
	if (acceptor == 0) {
		int connection = must("accept", accept(listener, NULL, NULL));

		must("read", read(connection, buffer, sizeof(buffer)));
		pass(channel[0], connection);
		return 0;
	}
	worker = must("fork", fork());
	if (worker == 0) {
		int connection;

		close(listener);
		connection = take(channel[1]);
		strcpy(buffer, "passed on"); /* a constant would not be in this process's memory yet */
		must("write", write(connection, buffer, 9));
		return 0;
	}
	close(listener);
	client = connect_to(&address);
	must("write", write(client, "request", 7));
	must("read", read(client, buffer, sizeof(buffer)));
	must("read", read(client, buffer, sizeof(buffer)));
	waitpid(acceptor, NULL, 0);
	waitpid(worker, NULL, 0);
	snprintf(extra, sizeof(extra), ",\"port\":%d,\"acceptor\":%d,\"worker\":%d", ntohs(address.sin_port), acceptor, worker);
	print_truth(thread_id(), start, now_ns(), extra);
	return 0;
}
