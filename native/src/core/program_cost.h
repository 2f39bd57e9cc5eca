// SPDX-License-Identifier: Apache-2.0
// What our own BPF programs cost, by the kernel's count (bpf(2), BPF_ENABLE_STATS; Documentation/admin-guide/sysctl/
// kernel.rst, bpf_stats_enabled): run time and runs of each program, all CPUs together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct bpf_object;

namespace kindling {

struct ProgramCost {
  std::string topic;
  std::string program;  // its function's name in bpf/programs
  uint64_t run_time_ns = 0;
  uint64_t runs = 0;
};

// Appends one entry for each loaded program of `object`. Programs that can't be asked are left out.
void ReadObjectCosts(const bpf_object* object, const char* topic, std::vector<ProgramCost>* out);

}  // namespace kindling
