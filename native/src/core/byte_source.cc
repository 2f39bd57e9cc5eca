// SPDX-License-Identifier: Apache-2.0
#include "byte_source.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace kindling {

bool MemorySource::Read(uint64_t offset, void* to, size_t length) const {
  if (offset > size_ || length > size_ - offset) return false;
  memcpy(to, data_ + offset, length);
  return true;
}

std::string FileIdentity::Key() const {
  char text[96];
  snprintf(text, sizeof text, "%lx:%lx:%lx:%lx", static_cast<unsigned long>(device),
           static_cast<unsigned long>(inode), static_cast<unsigned long>(size), static_cast<unsigned long>(mtime_ns));
  return text;
}

std::unique_ptr<FileSource> FileSource::FromPathDescriptor(UniqueFd path_fd) {
  struct stat st;
  if (!path_fd || fstat(path_fd.get(), &st) != 0 || !S_ISREG(st.st_mode)) return nullptr;
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", path_fd.get());
  UniqueFd fd(open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return nullptr;
  FileIdentity identity;
  identity.device = st.st_dev;
  identity.inode = st.st_ino;
  identity.size = st.st_size < 0 ? 0 : static_cast<uint64_t>(st.st_size);
  identity.mtime_ns = static_cast<int64_t>(st.st_mtim.tv_sec) * 1000000000 + st.st_mtim.tv_nsec;
  identity.owner = st.st_uid;
  return std::unique_ptr<FileSource>(new FileSource(std::move(fd), identity));
}

std::unique_ptr<FileSource> FileSource::Open(const std::string& path) {
  return FromPathDescriptor(UniqueFd(open(path.c_str(), O_PATH | O_CLOEXEC)));
}

std::unique_ptr<FileSource> FileSource::OpenInRoot(const std::string& root, const std::string& path,
                                                   bool follow_last) {
  UniqueFd root_fd(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root_fd) return nullptr;
  struct open_how how;
  memset(&how, 0, sizeof how);
  how.flags = O_PATH | O_CLOEXEC | (follow_last ? 0 : O_NOFOLLOW);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return FromPathDescriptor(
      UniqueFd(static_cast<int>(syscall(SYS_openat2, root_fd.get(), path.c_str(), &how, sizeof how))));
}

bool FileSource::Read(uint64_t offset, void* to, size_t length) const {
  if (offset > identity_.size || length > identity_.size - offset) return false;
  auto* out = static_cast<uint8_t*>(to);
  while (length > 0) {
    ssize_t n = pread(fd_.get(), out, length, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    out += n;
    offset += static_cast<uint64_t>(n);
    length -= static_cast<size_t>(n);
  }
  return true;
}

std::string ReadText(const std::string& path, size_t limit) {
  std::string text;
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return text;
  while (text.size() < limit) {
    size_t old = text.size();
    size_t chunk = limit - old < 65536 ? limit - old : 65536;
    text.resize(old + chunk);
    ssize_t n = read(fd.get(), text.data() + old, chunk);
    text.resize(old + (n > 0 ? static_cast<size_t>(n) : 0));
    if (n == 0 || (n < 0 && errno != EINTR)) break;
  }
  return text;
}

}  // namespace kindling
