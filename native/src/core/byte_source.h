// SPDX-License-Identifier: Apache-2.0
//
// Read-only access to the bytes of a file or of memory, for parsers of data that nobody vouches for.
//
// Files of other processes are read with pread(2) and never mapped: their owner may truncate them at any moment, and
// touching a mapped page behind the new end is SIGBUS, which would let any user end the agent.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "../util/unique_fd.h"

namespace kindling {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;
  // Copies exactly `length` bytes at `offset`; false when they are not all there. Never reads past `size()`.
  virtual bool Read(uint64_t offset, void* to, size_t length) const = 0;
};

// Bytes in memory. Does not own them.
class MemorySource final : public ByteSource {
 public:
  MemorySource(const void* data, size_t size) : data_(static_cast<const uint8_t*>(data)), size_(size) {}
  uint64_t size() const override { return size_; }
  bool Read(uint64_t offset, void* to, size_t length) const override;

 private:
  const uint8_t* data_;
  size_t size_;
};

// What tells one version of a file from another.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  uid_t owner = 0;

  // (device, inode, size, mtime) as text, for use as a key.
  std::string Key() const;
};

// A regular file. Owns its descriptor.
class FileSource final : public ByteSource {
 public:
  // Opens `path` (of this process's own view) for reading when it is a regular file; null otherwise. The type is
  // checked on an O_PATH descriptor first, because merely opening a device or a FIFO can have effects.
  // Links are followed: meant for /proc/PID/map_files/*, whose links lead straight to the mapped file.
  static std::unique_ptr<FileSource> Open(const std::string& path);

  // Opens `path` as a process sees it, whose root directory is `root` ("/proc/PID/root"). No component, `..` or
  // absolute symbolic link leads out of that root (openat2(2), RESOLVE_IN_ROOT).
  // `follow_last`: whether the last component may be a symbolic link.
  static std::unique_ptr<FileSource> OpenInRoot(const std::string& root, const std::string& path, bool follow_last);

  uint64_t size() const override { return identity_.size; }
  bool Read(uint64_t offset, void* to, size_t length) const override;
  const FileIdentity& identity() const { return identity_; }

 private:
  FileSource(UniqueFd fd, const FileIdentity& identity) : fd_(std::move(fd)), identity_(identity) {}
  static std::unique_ptr<FileSource> FromPathDescriptor(UniqueFd path_fd);

  UniqueFd fd_;
  FileIdentity identity_;
};

// Reads a whole small text file, for example of /proc, up to `limit` bytes. Empty when it cannot be read.
std::string ReadText(const std::string& path, size_t limit);

}  // namespace kindling
