// SPDX-License-Identifier: Apache-2.0
// The maps that all topics share (bpf/lib/maps.bpf.h), and the programs of bpf/programs/selection that go with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "program_cost.h"

#include "../util/result.h"

struct selection_bpf;

namespace kindling {

struct SelectionRules {
  bool select_by_default = true;
  std::vector<uint32_t> include_tgids, exclude_tgids;
  std::vector<std::string> include_comms, exclude_comms;  // at most 15 bytes each
  std::vector<uint64_t> include_cgroups, exclude_cgroups;
};

class SharedMaps {
 public:
  // `ring_bytes`: a power of two and a multiple of the page size.
  static Result<SharedMaps> Load(size_t ring_bytes);

  SharedMaps(SharedMaps&&) noexcept;
  SharedMaps& operator=(SharedMaps&&) = delete;
  ~SharedMaps();

  // Makes every map of `object` that has the name of a shared one use the shared one. Before the object is loaded.
  // Returns 0 or -errno.
  int ShareWith(bpf_object* object) const;

  // Attaches the programs that forget outdated verdicts and gives every thread its state. Returns 0 or -errno.
  int Attach();
  void Detach();

  // Replaces all rules, then makes every thread ask again. Returns an error when a map is full.
  Result<bool> SetRules(const SelectionRules& rules);

  // What the programs leave out from now on: enum shed, ored. Returns 0 or -errno.
  int SetShed(uint32_t mask);

  // Adds what the programs of this object have cost; see ProgramCost.
  void ReadCosts(std::vector<ProgramCost>* out) const;

  // Sums the per-CPU counters; `out` has one place per enum stat.
  void ReadStats(std::span<double> out) const;

  int events_fd() const;
  size_t ring_bytes() const { return ring_bytes_; }
  // This process as the initial pid namespace knows it; getpid() is another number in a container.
  uint32_t self_tgid() const { return self_tgid_; }

 private:
  struct Deleter {
    void operator()(selection_bpf* skeleton) const;
  };

  SharedMaps(std::unique_ptr<selection_bpf, Deleter> skeleton, size_t ring_bytes);

  std::unique_ptr<selection_bpf, Deleter> skeleton_;
  size_t ring_bytes_;
  uint32_t self_tgid_;
};

}  // namespace kindling
