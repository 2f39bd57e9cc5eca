// SPDX-License-Identifier: Apache-2.0
//
// The executable part of /proc/PID/maps. Source: Linux, Documentation/filesystems/proc.rst.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kindling {

struct Mapping {
  uint64_t start = 0;
  uint64_t end = 0;
  uint64_t offset = 0;
  uint64_t device = 0;  // makedev(major, minor)
  uint64_t inode = 0;   // 0: not a file
  // As the process sees it, without " (deleted)"; or "[vdso]", "[stack]", "//anon", "".
  std::string path;
  bool deleted = false;

  bool IsFile() const { return inode != 0 && !path.empty() && path[0] == '/'; }
};

// A process may make as many mappings as it likes; these bound what is kept of them.
constexpr size_t kMaxMappings = 16384;
constexpr size_t kMaxMapsText = 16u << 20;

// Executable mappings in the order of their addresses. Lines that cannot be understood are left out.
std::vector<Mapping> ParseMaps(std::string_view text);

}  // namespace kindling
