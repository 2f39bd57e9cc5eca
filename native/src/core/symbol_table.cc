// SPDX-License-Identifier: Apache-2.0
#include "symbol_table.h"

#include <algorithm>

namespace kindling {

namespace {
// Symbols may nest (a function inside the range of another), so the nearest start is not always the right one. Deeper
// nesting than this does not occur in practice.
constexpr int kNestingLimit = 16;
// Farther than this from a symbol without a size, an address belongs to something that has no symbol.
constexpr uint64_t kUnsizedReach = 1 << 20;
constexpr size_t kNameBytesLimit = UINT32_MAX;
}  // namespace

std::string_view SymbolTable::Find(uint64_t address) const {
  auto it = std::upper_bound(entries_.begin(), entries_.end(), address,
                             [](uint64_t a, const Entry& e) { return a < e.address; });
  for (int i = 0; i < kNestingLimit && it != entries_.begin(); i++) {
    --it;
    if (it->size == 0 ? i == 0 && address - it->address < kUnsizedReach : address - it->address < it->size) return names_.data() + it->name;
  }
  return {};
}

void SymbolTableBuilder::Add(uint64_t address, uint64_t size, std::string_view name, uint32_t rank) {
  if (name.size() + 1 > kNameBytesLimit - names_.size()) return;
  pending_.push_back({address, static_cast<uint32_t>(std::min<uint64_t>(size, UINT32_MAX)),
                      static_cast<uint32_t>(names_.size()), static_cast<uint32_t>(name.size()), rank});
  names_.append(name);
  names_.push_back('\0');
}

SymbolTable SymbolTableBuilder::Build() {
  std::sort(pending_.begin(), pending_.end(), [](const Pending& a, const Pending& b) {
    if (a.address != b.address) return a.address < b.address;
    if (a.rank != b.rank) return a.rank < b.rank;
    if (a.length != b.length) return a.length < b.length;
    return a.name < b.name;
  });
  pending_.erase(std::unique(pending_.begin(), pending_.end(),
                             [](const Pending& a, const Pending& b) { return a.address == b.address; }),
                 pending_.end());
  SymbolTable table;
  size_t name_bytes = 0;
  for (const Pending& p : pending_) name_bytes += p.length + 1;
  table.entries_.reserve(pending_.size());
  table.names_.reserve(name_bytes);
  for (const Pending& p : pending_) {
    table.entries_.push_back({p.address, p.size, static_cast<uint32_t>(table.names_.size())});
    table.names_.append(names_, p.name, p.length);
    table.names_.push_back('\0');
  }
  pending_ = {};
  names_ = {};
  return table;
}

}  // namespace kindling
