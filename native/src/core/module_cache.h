// SPDX-License-Identifier: Apache-2.0
//
// Symbols of files, shared between the processes that run them and bounded in number and bytes.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "byte_source.h"
#include "elf_symbols.h"

namespace kindling {

// One file's symbols, with the names that have been asked for in readable form.
class Module {
 public:
  explicit Module(ElfSymbols&& elf) : elf_(std::move(elf)) {}
  // Readable name at an offset of the file; empty when no symbol covers it.
  const std::string& NameAt(uint64_t file_offset);
  const ElfSymbols& elf() const { return elf_; }
  size_t bytes() const { return elf_.bytes(); }

 private:
  ElfSymbols elf_;
  std::unordered_map<const char*, std::string> readable_;  // by the mangled name's place in elf_
  static const std::string kNone;
};

class ModuleCache {
 public:
  ModuleCache(size_t max_files, size_t max_bytes) : max_files_(max_files), max_bytes_(max_bytes) {}

  // The symbols of `file`; read from it unless they are known. Null when it is not a file with code of this machine
  // (which is remembered too). `root`: the root directory of the process, to find files with debugging symbols below
  // its /usr/lib/debug.
  std::shared_ptr<Module> Get(const FileSource& file, const std::string& root);

  // Marks as used, so that it is kept longer than others.
  void Touch(const std::shared_ptr<Module>& module);

  size_t files() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }
  uint64_t loads() const { return loads_; }
  uint64_t evictions() const { return evictions_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<Module> module;  // null: not a file with code
    size_t bytes;
  };
  using Place = std::list<Entry>::iterator;

  void Evict();

  const size_t max_files_;
  const size_t max_bytes_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string, Place> by_key_;
  std::unordered_map<const Module*, Place> by_module_;
  size_t bytes_ = 0;
  uint64_t loads_ = 0;
  uint64_t evictions_ = 0;
};

}  // namespace kindling
