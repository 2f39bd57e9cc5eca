// SPDX-License-Identifier: Apache-2.0
#include "kallsyms.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "../util/unique_fd.h"

namespace kindling {

namespace {

// "ffffffff81000000 T _text" or "ffffffffc0001000 t helper\t[module]"; t, T: code, w, W: weak code.
void ParseLine(std::string_view line, SymbolTableBuilder& builder) {
  uint64_t address = 0;
  auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), address, 16);
  if (error != std::errc() || address == 0) return;
  line.remove_prefix(static_cast<size_t>(end - line.data()));
  if (line.size() < 4 || line[0] != ' ' || line[2] != ' ') return;
  char type = line[1];
  if (type != 't' && type != 'T' && type != 'w' && type != 'W') return;
  line.remove_prefix(3);
  std::string name(line);
  for (char& c : name)
    if (c == '\t') c = ' ';
  builder.Add(address, 0, name, type == 'T' ? 0 : type == 't' ? 1 : 2);
}

}  // namespace

bool Kallsyms::Load(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  SymbolTableBuilder builder;
  std::string buffer;
  char chunk[65536];
  for (;;) {
    ssize_t n = read(fd.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    buffer.append(chunk, static_cast<size_t>(n));
    size_t begin = 0;
    for (size_t stop; (stop = buffer.find('\n', begin)) != std::string::npos; begin = stop + 1)
      ParseLine(std::string_view(buffer).substr(begin, stop - begin), builder);
    buffer.erase(0, begin);
  }
  table_ = builder.Build();
  return table_.size() > 0;
}

}  // namespace kindling
