// SPDX-License-Identifier: Apache-2.0
/*
 * One request and its answer over TCP, moved by io_uring: send, recv, writev, read. "missing" is 1 where the kernel
 * refuses io_uring.
 */
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "tcp.h"

struct ring {
	int fd;
	struct io_uring_params params;
	char *rings;
	struct io_uring_sqe *entries;
};

static int open_ring(struct ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(SYS_io_uring_setup, 8, &ring->params);
	if (ring->fd < 0)
		return -1;
	ring->rings = mmap(NULL, ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe),
			   PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->entries = mmap(NULL, ring->params.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
			     MAP_SHARED, ring->fd, IORING_OFF_SQES);
	return ring->rings == MAP_FAILED || ring->entries == MAP_FAILED ? -1 : 0;
}

/* Submits one operation and waits for it. Returns its result. */
static int move(struct ring *ring, int opcode, int fd, const void *memory, unsigned length)
{
	unsigned *tail = (unsigned *)(ring->rings + ring->params.sq_off.tail);
	unsigned *head = (unsigned *)(ring->rings + ring->params.cq_off.head);
	unsigned mask = *(unsigned *)(ring->rings + ring->params.sq_off.ring_mask);
	unsigned done_mask = *(unsigned *)(ring->rings + ring->params.cq_off.ring_mask);
	struct io_uring_cqe *done = (struct io_uring_cqe *)(ring->rings + ring->params.cq_off.cqes);
	unsigned slot = *tail & mask;
	int result;

	memset(&ring->entries[slot], 0, sizeof(struct io_uring_sqe));
	ring->entries[slot].opcode = opcode;
	ring->entries[slot].fd = fd;
	ring->entries[slot].addr = (unsigned long)memory;
	ring->entries[slot].len = length;
	((unsigned *)(ring->rings + ring->params.sq_off.array))[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	must("io_uring_enter", syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	result = done[*head & done_mask].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

int main(void)
{
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address);
	int client = connect_to(&address);
	int server = must("accept", accept(listener, NULL, NULL));
	char request[] = "a request", first[] = "an ", second[] = "answer", buffer[64], extra[64];
	struct iovec parts[2] = { { first, 3 }, { second, 6 } };
	uint64_t start = now_ns();
	struct ring ring;
	int missing = open_ring(&ring) < 0, moved = 0;

	if (!missing) {
		moved += move(&ring, IORING_OP_SEND, client, request, 9);
		moved += move(&ring, IORING_OP_RECV, server, buffer, sizeof(buffer));
		moved += move(&ring, IORING_OP_WRITEV, server, parts, 2);
		moved += move(&ring, IORING_OP_READ, client, buffer, sizeof(buffer));
	}
	snprintf(extra, sizeof(extra), ",\"port\":%d,\"missing\":%d,\"moved\":%d", ntohs(address.sin_port), missing, moved);
	print_truth(thread_id(), start, now_ns(), extra);
	return 0;
}
