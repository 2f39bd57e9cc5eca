// SPDX-License-Identifier: Apache-2.0
//
// Function names of an ELF file.
//
// Sources: System V ABI, chapters "ELF Header", "Sections", "Symbol Table", "Program Header" (gABI 4.1 and its
// drafts); Linux notes: NT_GNU_BUILD_ID in elf.h; stripped Go programs: go_symbols.h. Reads 64-bit files of the machine's own byte order. Of other files,
// and of files whose headers lie, nothing is read beyond what their headers and the limits below allow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "byte_source.h"
#include "symbol_table.h"

namespace kindling {

// What one file may cost at most while it is read. A table above its limit is left out, the others still count.
struct ElfLimits {
  uint32_t symbols = 4'000'000;
  uint64_t string_bytes = 128u << 20;
};

class ElfSymbols {
 public:
  // Empty when `source` is not an ELF file of this machine's kind. A file without symbols is still a result: its
  // segments say which address a file offset has.
  static std::optional<ElfSymbols> Load(const ByteSource& source, const ElfLimits& limits);

  // Only the build id, as lower-case hex; "" when there is none.
  static std::string BuildId(const ByteSource& source);

  // Name at an offset of the file (not an address: where a file is mapped does not matter here). Still mangled; lives
  // as long as this object. Empty when no symbol covers it.
  std::string_view FindByOffset(uint64_t file_offset) const;

  // The address that the file's own headers give to `file_offset`, as tools like addr2line want it.
  std::optional<uint64_t> AddressOf(uint64_t file_offset) const;

  // Takes over the names of `debug`, a file with the debugging symbols of the same program.
  void AdoptNames(ElfSymbols&& debug) { table_ = std::move(debug.table_); full_ = debug.full_; }

  const std::string& build_id() const { return build_id_; }
  // Whether the names come from .symtab, which has static functions too, and not from .dynsym alone.
  bool full() const { return full_; }
  size_t symbols() const { return table_.size(); }
  size_t bytes() const { return sizeof *this + table_.bytes() + segments_.capacity() * sizeof(Segment); }

 private:
  struct Segment {
    uint64_t offset;
    uint64_t size;
    uint64_t address;
  };
  std::vector<Segment> segments_;  // executable PT_LOADs
  SymbolTable table_;
  std::string build_id_;
  bool full_ = false;
};

}  // namespace kindling
