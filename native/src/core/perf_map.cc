// SPDX-License-Identifier: Apache-2.0
#include "perf_map.h"

#include <algorithm>
#include <charconv>

namespace kindling {

namespace {
constexpr size_t kChunk = 256 << 10;
constexpr size_t kMaxLine = 8 << 10;
constexpr size_t kMaxName = 1 << 10;
constexpr size_t kTail = 64;
}  // namespace

void PerfMap::Reset() {
  entries_.clear();
  added_.clear();
  names_.clear();
  live_name_bytes_ = 0;
  order_ = 0;
  offset_ = 0;
  tail_.clear();
  skipping_ = false;
}

bool PerfMap::WasRewritten(const ByteSource& file, const FileIdentity& identity) const {
  if (identity.device != identity_.device || identity.inode != identity_.inode || identity.size < offset_) return true;
  if (identity.size == identity_.size) return identity.mtime_ns != identity_.mtime_ns;
  std::string tail(tail_.size(), '\0');
  return !file.Read(offset_ - tail.size(), tail.data(), tail.size()) || tail != tail_;
}

bool PerfMap::Update(const ByteSource& file, const FileIdentity& identity) {
  bool changed = false;
  merged_at_limit_ = false;
  if (offset_ > 0 && WasRewritten(file, identity)) {
    Reset();
    changed = true;
  }
  identity_ = identity;
  uint64_t stop = identity.size - offset_ > limits_.read_bytes ? offset_ + limits_.read_bytes : identity.size;
  std::string chunk;
  while (offset_ < stop) {
    chunk.resize(std::min<uint64_t>(kChunk, stop - offset_));
    if (!file.Read(offset_, chunk.data(), chunk.size())) break;
    size_t begin = 0;
    for (size_t end; (end = chunk.find('\n', begin)) != std::string::npos; begin = end + 1) {
      if (!skipping_) ParseLine(std::string_view(chunk).substr(begin, end - begin));
      skipping_ = false;
    }
    if (begin == 0) {
      // No line ends here: it is still being written, or it is longer than any name should be.
      if (chunk.size() < kMaxLine) break;
      if (!skipping_) malformed_++;
      skipping_ = true;
      begin = chunk.size();
    }
    offset_ += begin;
    size_t keep = std::min(kTail, begin);
    tail_.assign(chunk, begin - keep, keep);
  }
  if (!added_.empty()) {
    Merge();
    changed = true;
  }
  return changed;
}

void PerfMap::ParseLine(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  uint64_t start = 0;
  uint64_t size = 0;
  auto hex = [&line](uint64_t& value) {
    if (line.starts_with("0x")) line.remove_prefix(2);
    auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value, 16);
    if (error != std::errc() || end == line.data() + line.size() || *end != ' ') return false;
    line.remove_prefix(static_cast<size_t>(end - line.data()) + 1);
    return true;
  };
  if (!hex(start) || !hex(size) || line.empty() || size == 0 || size > UINT32_MAX || start > UINT64_MAX - size) {
    malformed_++;
    return;
  }
  line = line.substr(0, kMaxName);
  if (entries_.size() + added_.size() >= limits_.entries || live_name_bytes_ + line.size() > limits_.name_bytes) {
    // Many of what is held may have been replaced by now; looked at once per Update(), because it costs a pass.
    if (!merged_at_limit_) Merge();
    merged_at_limit_ = true;
    if (entries_.size() + added_.size() >= limits_.entries || live_name_bytes_ + line.size() > limits_.name_bytes) {
      dropped_++;
      return;
    }
  }
  added_.push_back({start, static_cast<uint32_t>(size), static_cast<uint32_t>(names_.size()),
                    static_cast<uint32_t>(line.size()), order_++});
  names_.append(line);
  live_name_bytes_ += line.size();
}

void PerfMap::Merge() {
  if (added_.empty()) return;
  auto before = [](const Entry& a, const Entry& b) {
    return a.start != b.start ? a.start < b.start : a.order > b.order;
  };
  std::sort(added_.begin(), added_.end(), before);
  std::vector<Entry> all;
  all.reserve(entries_.size() + added_.size());
  std::merge(entries_.begin(), entries_.end(), added_.begin(), added_.end(), std::back_inserter(all), before);
  added_.clear();

  // An entry that overlaps a newer one is code that is gone.
  entries_.clear();
  for (const Entry& e : all) {
    bool alive = true;
    while (!entries_.empty() && e.start - entries_.back().start < entries_.back().size) {
      if (e.order < entries_.back().order) {
        alive = false;
        break;
      }
      entries_.pop_back();
    }
    if (alive) entries_.push_back(e);
  }
  live_name_bytes_ = 0;
  for (const Entry& e : entries_) live_name_bytes_ += e.length;
  if (names_.size() > (1 << 20) && names_.size() > 2 * live_name_bytes_) CompactNames();
}

void PerfMap::CompactNames() {
  std::string names;
  names.reserve(live_name_bytes_);
  for (Entry& e : entries_) {
    uint32_t at = static_cast<uint32_t>(names.size());
    names.append(names_, e.name, e.length);
    e.name = at;
  }
  names_ = std::move(names);
}

std::string_view PerfMap::Find(uint64_t address) const {
  auto it = std::upper_bound(entries_.begin(), entries_.end(), address,
                             [](uint64_t a, const Entry& e) { return a < e.start; });
  if (it == entries_.begin()) return {};
  --it;
  if (address - it->start >= it->size) return {};
  return std::string_view(names_).substr(it->name, it->length);
}

}  // namespace kindling
