// SPDX-License-Identifier: Apache-2.0
/*
 * Datagrams to itself by every call that moves them. Arguments: "4", "6" or "mapped", and the server's port.
 *
 *   client: connected    server: not connected
 *   send     "1 send"    recvfrom     sendto    "a"
 *   write    "2 write"   recvmsg      sendmsg   "b"
 *   writev   "3 writev"  read         -
 *   sendmmsg "4 first", "5 second", "6 third"   recvmmsg ×3, then sendmmsg "c", "d"
 *   recv with MSG_PEEK, then recv; then recvmmsg
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "truth.h"

static struct sockaddr_in6 in6(const char *text, int port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	inet_pton(AF_INET6, text, &address.sin6_addr);
	return address;
}

static struct mmsghdr *messages(char (*buffers)[64], struct sockaddr_storage *names, const char **texts, unsigned count)
{
	static struct mmsghdr headers[8];
	static struct iovec parts[8];

	memset(headers, 0, sizeof(headers));
	for (unsigned i = 0; i < count; i++) {
		if (texts)
			strcpy(buffers[i], texts[i]);
		parts[i] = (struct iovec){ buffers[i], texts ? strlen(texts[i]) : 64 };
		headers[i].msg_hdr.msg_iov = &parts[i];
		headers[i].msg_hdr.msg_iovlen = 1;
		if (names) {
			headers[i].msg_hdr.msg_name = &names[i];
			headers[i].msg_hdr.msg_namelen = sizeof(names[i]);
		}
	}
	return headers;
}

int main(int argc, char **argv)
{
	int family = argc > 1 && strcmp(argv[1], "4") == 0 ? AF_INET : AF_INET6;
	int port = argc > 2 ? atoi(argv[2]) : 0;
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = in6(argc > 1 && strcmp(argv[1], "mapped") == 0 ? "::ffff:127.0.0.1" : "::1", port);
	const void *name = family == AF_INET ? (void *)&v4 : (void *)&v6;
	socklen_t size = family == AF_INET ? sizeof(v4) : sizeof(v6);
	int server = must("socket", socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	int client = must("socket", socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	const char *requests[] = { "4 first", "5 second", "6 third" }, *answers[] = { "c", "d" };
	char buffer[64], buffers[8][64], extra[64];
	struct sockaddr_storage peer, peers[8];
	socklen_t peer_size = sizeof(peer);
	struct msghdr header = { .msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iovlen = 1 };
	struct iovec parts[2] = { { "3 wri", 5 }, { "tev", 3 } }, part = { buffer, sizeof(buffer) };
	uint64_t start = now_ns();

	must("bind", bind(server, name, size));
	must("connect", connect(client, name, size));
	header.msg_iov = &part;

	must("send", send(client, "1 send", 6, 0));
	must("recvfrom", recvfrom(server, buffer, sizeof(buffer), 0, (struct sockaddr *)&peer, &peer_size));
	must("sendto", sendto(server, "a", 1, 0, (struct sockaddr *)&peer, peer_size));

	must("write", write(client, "2 write", 7));
	must("recvmsg", recvmsg(server, &header, 0));
	part = (struct iovec){ "b", 1 };
	must("sendmsg", sendmsg(server, &header, 0));

	must("writev", writev(client, parts, 2));
	must("read", read(server, buffer, sizeof(buffer)));

	must("sendmmsg", sendmmsg(client, messages(buffers, NULL, requests, 3), 3, 0));
	must("recvmmsg", recvmmsg(server, messages(buffers, peers, NULL, 8), 8, MSG_WAITFORONE, NULL));
	must("sendmmsg", sendmmsg(server, messages(buffers, peers, answers, 2), 2, 0));

	must("recv", recv(client, buffer, sizeof(buffer), MSG_PEEK));
	must("recv", recv(client, buffer, sizeof(buffer), 0));
	must("recvmmsg", recvmmsg(client, messages(buffers, NULL, NULL, 3), 3, MSG_WAITFORONE, NULL));

	snprintf(extra, sizeof(extra), ",\"port\":%d", port);
	print_truth(thread_id(), start, now_ns(), extra);
	return 0;
}
