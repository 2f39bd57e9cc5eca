// SPDX-License-Identifier: Apache-2.0
#include "cgroup_root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kindling {
namespace {

// include/uapi/linux/mount.h; glibc has the calls since 2.36 only.
constexpr unsigned kFsopenCloexec = 1;
constexpr unsigned kFsmountCloexec = 1;
constexpr unsigned kFsconfigCmdCreate = 6;

}  // namespace

// A mount of our own that appears in no directory: what is mounted may be a part of the hierarchy only, or not be
// mounted at all where v1 is in use. It goes away with the descriptor (fsopen(2) and friends: since 5.2).
UniqueFd OpenCgroupRoot() {
  const UniqueFd context(static_cast<int>(syscall(SYS_fsopen, "cgroup2", kFsopenCloexec)));
  if (context && syscall(SYS_fsconfig, context.get(), kFsconfigCmdCreate, nullptr, nullptr, 0) == 0) {
    UniqueFd root(static_cast<int>(syscall(SYS_fsmount, context.get(), kFsmountCloexec, 0)));
    if (root) return root;
  }
  return UniqueFd(open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace kindling
