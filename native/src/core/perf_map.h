// SPDX-License-Identifier: Apache-2.0
//
// Names of code that a runtime generated: /tmp/perf-PID.map, one "START SIZE name" (hex, hex, text) in each line.
// Source: Linux, tools/perf/Documentation/jit-interface.txt.
//
// Runtimes append (V8, CPython) or rewrite the file (JDK's Compiler.perfmap), and use addresses again. Of overlapping
// entries the one that stands later in the file is the code that is there now.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "byte_source.h"

namespace kindling {

class PerfMap {
 public:
  struct Limits {
    uint32_t entries = 500'000;
    uint32_t name_bytes = 32u << 20;
    // Read by one Update(); the rest follows with the next one.
    uint64_t read_bytes = 32u << 20;
  };

  PerfMap() = default;
  explicit PerfMap(const Limits& limits) : limits_(limits) {}

  // Reads what is new in `file`: the lines that were appended since the last call, or everything when the file is
  // another one or was rewritten. True when names may have changed.
  bool Update(const ByteSource& file, const FileIdentity& identity);

  // Name of the code at `address`; empty when no entry covers it. Valid until the next Update().
  std::string_view Find(uint64_t address) const;

  size_t size() const { return entries_.size(); }
  size_t bytes() const { return entries_.capacity() * sizeof(Entry) + names_.capacity(); }
  // Lines that were not understood.
  uint64_t malformed() const { return malformed_; }
  // Entries left out because a limit was reached.
  uint64_t dropped() const { return dropped_; }

 private:
  struct Entry {
    uint64_t start;
    uint32_t size;
    uint32_t name;    // offset in names_
    uint32_t length;  // of the name
    uint32_t order;   // position in the file; larger is newer
  };

  void Reset();
  bool WasRewritten(const ByteSource& file, const FileIdentity& identity) const;
  void ParseLine(std::string_view line);
  void Merge();
  void CompactNames();

  Limits limits_;
  std::vector<Entry> entries_;  // by start, without overlaps
  std::vector<Entry> added_;    // since the last merge
  std::string names_;
  uint64_t live_name_bytes_ = 0;
  uint32_t order_ = 0;
  bool merged_at_limit_ = false;
  uint64_t malformed_ = 0;
  uint64_t dropped_ = 0;

  FileIdentity identity_;
  uint64_t offset_ = 0;      // where the next unread line begins
  std::string tail_;         // the bytes before offset_, to notice a rewritten file
  bool skipping_ = false;    // inside a line that is too long
};

}  // namespace kindling
