/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* From a descriptor of a task to the open file behind it. All reads are probe reads. */
#ifndef KINDLING_FILE_H
#define KINDLING_FILE_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "events.h"
#include "sock.bpf.h"

/* include/uapi/linux/stat.h */
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000

#define ANON_INODE_FS_MAGIC 0x09041934 /* include/uapi/linux/magic.h */

/* NULL when the descriptor is not open. The file may be closed meanwhile: read it with probe reads only. */
static __always_inline struct file *file_of_fd(struct task_struct *task, __u32 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **slots;
	struct file *file;

	if (!table || fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	slots = BPF_CORE_READ(table, fd);
	if (bpf_probe_read_kernel(&file, sizeof(file), slots + fd))
		return NULL;
	return file;
}

static __always_inline struct sock *sock_of_file(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);

	return socket ? BPF_CORE_READ(socket, sk) : NULL;
}

static __always_inline enum fd_kind kind_of_file(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	/* First, because the mode of anonymous inodes says "regular file" since 6.16. */
	if (BPF_CORE_READ(inode, i_sb, s_magic) == ANON_INODE_FS_MAGIC)
		return FD_ANON;
	switch (BPF_CORE_READ(inode, i_mode) & S_IFMT) {
	case S_IFSOCK:
		return FD_SOCKET;
	case S_IFREG:
		return FD_FILE;
	case S_IFBLK:
		return FD_BLOCK;
	case S_IFIFO:
		return FD_PIPE;
	case S_IFCHR:
		return FD_CHAR;
	case S_IFDIR:
		return FD_DIRECTORY;
	default:
		return FD_ANON;
	}
}

static __always_inline void read_wait_file(struct wait_file *out, struct file *file, __u32 fd)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);

	__builtin_memset(out, 0, sizeof(*out));
	out->inode = BPF_CORE_READ(inode, i_ino);
	out->device = BPF_CORE_READ(inode, i_sb, s_dev);
	out->fd = fd;
	bpf_probe_read_kernel_str(out->name, sizeof(out->name), name);
}

static __always_inline void read_wait_socket(struct wait_socket *out, struct sock *sk)
{
	__builtin_memset(out, 0, sizeof(*out));
	if (!sk)
		return;
	out->socket_cookie = cookie_or_address(sk);
	read_tuple(&out->tuple, sk);
	/* A state of stream sockets; unix sockets use the same numbers. */
	out->listening = BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN;
}

#endif /* KINDLING_FILE_H */
