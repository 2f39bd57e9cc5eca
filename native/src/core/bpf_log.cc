// SPDX-License-Identifier: Apache-2.0
#include "bpf_log.h"

#include <cstdarg>
#include <cstdio>
#include <string_view>

#include <bpf/libbpf.h>

namespace kindling {
namespace {

thread_local BpfLog* current = nullptr;

}  // namespace

struct BpfLogSink {
  static int Print(libbpf_print_level level, const char* format, va_list args) {
    if (current == nullptr || level != LIBBPF_WARN) return 0;
    char text[512];
    vsnprintf(text, sizeof(text), format, args);
    std::string_view line(text);
    if (line.starts_with("libbpf: ")) line.remove_prefix(8);
    while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    // The verifier's log goes to its own buffer; its frame lines say nothing.
    if (line.find("PROG LOAD LOG") != std::string_view::npos || line.starts_with("failed to load object")) return 0;
    current->last_ = line;
    return 0;
  }
};

BpfLog::BpfLog() : outer_(current) {
  current = this;
  libbpf_set_print(BpfLogSink::Print);
}

BpfLog::~BpfLog() { current = outer_; }

}  // namespace kindling
