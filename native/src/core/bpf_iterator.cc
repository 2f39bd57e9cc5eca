// SPDX-License-Identifier: Apache-2.0
#include "bpf_iterator.h"

#include <cerrno>

#include <unistd.h>

#include <bpf/bpf.h>

#include "../util/unique_fd.h"

namespace kindling {

int RunIterator(int link_fd) {
  const UniqueFd file(bpf_iter_create(link_fd));
  if (!file) return -errno;
  char text[64];
  for (;;) {
    const ssize_t size = read(file.get(), text, sizeof(text));
    if (size == 0) return 0;
    if (size < 0 && errno != EINTR && errno != EAGAIN) return -errno;
  }
}

int RunProgram(int program_fd) {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  return bpf_prog_test_run_opts(program_fd, &options);
}

}  // namespace kindling
