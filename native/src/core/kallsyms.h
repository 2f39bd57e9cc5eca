// SPDX-License-Identifier: Apache-2.0
//
// Names of kernel functions from /proc/kallsyms. Source: Linux, kernel/kallsyms.c; kernel.kptr_restrict in
// Documentation/admin-guide/sysctl/kernel.rst (hidden addresses read as 0).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "symbol_table.h"

namespace kindling {

class Kallsyms {
 public:
  // Replaces what is known by the content of `path`. False when addresses are hidden or nothing could be read.
  bool Load(const std::string& path);
  // Name ("nf_hook_slow", "nf_conntrack_in [nf_conntrack]"); empty when unknown. Lives until the next Load().
  std::string_view Find(uint64_t address) const { return table_.Find(address); }
  size_t size() const { return table_.size(); }
  size_t bytes() const { return table_.bytes(); }

 private:
  SymbolTable table_;
};

}  // namespace kindling
