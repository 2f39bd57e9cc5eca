// SPDX-License-Identifier: Apache-2.0
#include "process_maps.h"

#include <sys/sysmacros.h>

#include <charconv>

namespace kindling {

namespace {

// Takes a number in `base` off the front of `line`, and the character `after` it.
bool TakeNumber(std::string_view& line, int base, char after, uint64_t& value) {
  auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value, base);
  if (error != std::errc()) return false;
  size_t used = static_cast<size_t>(end - line.data());
  if (after != '\0') {
    if (used >= line.size() || line[used] != after) return false;
    used++;
  }
  line.remove_prefix(used);
  return true;
}

// "7f1c2a000000-7f1c2a021000 r-xp 00001000 fe:01 1234   /usr/lib/libfoo.so"
bool ParseLine(std::string_view line, Mapping& m) {
  uint64_t major = 0;
  uint64_t minor = 0;
  if (!TakeNumber(line, 16, '-', m.start) || !TakeNumber(line, 16, ' ', m.end) || m.end <= m.start) return false;
  if (line.size() < 5 || line[2] != 'x') return false;
  line.remove_prefix(5);
  if (!TakeNumber(line, 16, ' ', m.offset) || !TakeNumber(line, 16, ':', major) || !TakeNumber(line, 16, ' ', minor) ||
      !TakeNumber(line, 10, '\0', m.inode))
    return false;
  m.device = makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor));
  size_t path = line.find_first_not_of(' ');
  if (path == std::string_view::npos) return true;
  line.remove_prefix(path);
  constexpr std::string_view kDeleted = " (deleted)";
  if (line.ends_with(kDeleted)) {
    line.remove_suffix(kDeleted.size());
    m.deleted = true;
  }
  m.path = line;
  return true;
}

}  // namespace

std::vector<Mapping> ParseMaps(std::string_view text) {
  std::vector<Mapping> mappings;
  while (!text.empty() && mappings.size() < kMaxMappings) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos) break;  // cut in the middle of a line
    Mapping m;
    if (ParseLine(text.substr(0, end), m) && (mappings.empty() || m.start >= mappings.back().end))
      mappings.push_back(std::move(m));
    text.remove_prefix(end + 1);
  }
  return mappings;
}

}  // namespace kindling
