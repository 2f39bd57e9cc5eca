// SPDX-License-Identifier: Apache-2.0
// What the running kernel offers, read from its BTF, /proc and /sys. Needs no privileges. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../util/unique_fd.h"

namespace kindling {

struct KernelInfo {
  std::string release;
  std::string machine;
  bool btf = false;
  std::vector<std::pair<const char*, bool>> capabilities;  // name, in the effective set
  std::vector<std::pair<const char*, bool>> hooks;         // tracepoint, known to the kernel's BTF
  int unprivileged_bpf_disabled = -1;                      // -1: unreadable
  std::string lockdown;                                    // mode, "" when the kernel does not say
  int perf_event_errno = 0;                                // 0: a CPU clock event can be opened
};

KernelInfo ReadKernelInfo();

// Number of arguments of a tracepoint as tp_btf programs get them; -1 when the kernel has no such tracepoint or no BTF.
int TracepointArguments(const char* tracepoint);

// Both socket hooks of programs/net/net_socket.bpf.c exist.
bool HasSocketHooks();

// Whether it is in this process's effective set; numbers of include/uapi/linux/capability.h.
bool HasCapability(int capability);

// Links of many uprobes at once, which need no CAP_SYS_ADMIN (kernel >= 6.6).
bool HasUprobeMulti();

// Software CPU clock of one CPU at `frequency_hz`. Empty and errno set when not permitted (or ENODEV: CPU offline).
UniqueFd OpenCpuClock(int cpu, uint32_t frequency_hz);

}  // namespace kindling
