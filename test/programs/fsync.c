// SPDX-License-Identifier: Apache-2.0
/* Writes 8 MiB to the file named by the argument and forces them to the disk. */
#include <fcntl.h>
#include <sys/stat.h>

#include "truth.h"

int main(int count, char **arguments)
{
	static char block[1 << 20];
	struct stat status;
	uint64_t start, end;
	char extra[128];
	int fd;

	if (count < 2)
		return 2;
	fd = must("open", open(arguments[1], O_CREAT | O_TRUNC | O_WRONLY, 0600));
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 8; i++)
		must("write", write(fd, block, sizeof(block)));
	start = now_ns();
	must("fsync", fsync(fd));
	end = now_ns();
	must("fstat", fstat(fd, &status));
	snprintf(extra, sizeof(extra), ",\"inode\":%llu,\"fd\":%d", (unsigned long long)status.st_ino, fd);
	print_truth(thread_id(), start, end, extra);
	return 0;
}
