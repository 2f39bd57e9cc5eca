// SPDX-License-Identifier: Apache-2.0
//
// Names by address range, compactly: 16 bytes for each symbol plus its name. Immutable once built.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kindling {

class SymbolTable {
 public:
  // The symbol that covers `address`, without owning the text: it lives as long as the table. Empty when there is none.
  std::string_view Find(uint64_t address) const;
  size_t size() const { return entries_.size(); }
  size_t bytes() const { return entries_.capacity() * sizeof(Entry) + names_.capacity(); }

 private:
  friend class SymbolTableBuilder;
  struct Entry {
    uint64_t address;
    uint32_t size;  // 0: up to the next symbol
    uint32_t name;  // offset of a NUL-terminated string in names_
  };
  std::vector<Entry> entries_;  // by address
  std::string names_;
};

class SymbolTableBuilder {
 public:
  // `rank`: of several symbols at one address the one with the smallest rank is kept; ties go to the shorter name.
  // The text is copied.
  void Add(uint64_t address, uint64_t size, std::string_view name, uint32_t rank);
  size_t size() const { return pending_.size(); }
  // Leaves the builder empty.
  SymbolTable Build();

 private:
  struct Pending {
    uint64_t address;
    uint32_t size;
    uint32_t name;
    uint32_t length;
    uint32_t rank;
  };
  std::vector<Pending> pending_;
  std::string names_;
};

}  // namespace kindling
