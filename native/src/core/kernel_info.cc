// SPDX-License-Identifier: Apache-2.0
#include "kernel_info.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string_view>

#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <bpf/btf.h>

#include "bpf_log.h"

namespace kindling {
namespace {

struct BtfDeleter {
  void operator()(btf* types) const { btf__free(types); }
};
using UniqueBtf = std::unique_ptr<btf, BtfDeleter>;

UniqueBtf LoadKernelTypes() {
  BpfLog silent;
  return UniqueBtf(btf__load_vmlinux_btf());
}

// Every tracepoint has a typedef btf_trace_<name> of a function pointer whose first argument is the program's context.
int ArgumentsOf(const btf* types, const char* tracepoint) {
  const int id = btf__find_by_name_kind(types, (std::string("btf_trace_") + tracepoint).c_str(), BTF_KIND_TYPEDEF);
  if (id < 0) return -1;
  const btf_type* type = btf__type_by_id(types, btf__type_by_id(types, static_cast<uint32_t>(id))->type);
  if (type == nullptr || !btf_is_ptr(type)) return -1;
  type = btf__type_by_id(types, type->type);
  return type != nullptr && btf_is_func_proto(type) ? btf_vlen(type) - 1 : -1;
}

std::string ReadLine(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

uint64_t ReadEffectiveCapabilities() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("CapEff:")) return std::strtoull(line.c_str() + 7, nullptr, 16);
  }
  return 0;
}

// "none [integrity] confidentiality": the mode in brackets holds.
std::string ReadLockdown() {
  const std::string line = ReadLine("/sys/kernel/security/lockdown");
  const size_t open = line.find('[');
  const size_t close = line.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return "";
  return line.substr(open + 1, close - open - 1);
}

constexpr std::array<std::pair<const char*, int>, 6> kCapabilities{{
    {"CAP_BPF", CAP_BPF},
    {"CAP_PERFMON", CAP_PERFMON},
    {"CAP_SYS_ADMIN", CAP_SYS_ADMIN},
    {"CAP_SYS_PTRACE", CAP_SYS_PTRACE},
    {"CAP_NET_ADMIN", CAP_NET_ADMIN},
    {"CAP_SYS_RESOURCE", CAP_SYS_RESOURCE},
}};

constexpr std::array<const char*, 9> kHooks{
    "tcp_sendmsg_locked", "skb_copy_datagram_iovec", "sys_exit",           "inet_sock_set_state", "sched_switch",
    "sched_waking",       "sched_process_exec",      "sched_process_exit", "task_rename"};

}  // namespace

int TracepointArguments(const char* tracepoint) {
  const UniqueBtf types = LoadKernelTypes();
  return types ? ArgumentsOf(types.get(), tracepoint) : -1;
}

bool HasSocketHooks() {
  const UniqueBtf types = LoadKernelTypes();
  return types && ArgumentsOf(types.get(), "tcp_sendmsg_locked") >= 2 &&
         ArgumentsOf(types.get(), "skb_copy_datagram_iovec") >= 2 &&
         btf__find_by_name_kind(types.get(), "bpf_dynptr_from_skb", BTF_KIND_FUNC) > 0;
}

bool HasCapability(int capability) { return (ReadEffectiveCapabilities() >> capability & 1) != 0; }

bool HasUprobeMulti() {
  const UniqueBtf types = LoadKernelTypes();
  const int id = types ? btf__find_by_name_kind(types.get(), "bpf_attach_type", BTF_KIND_ENUM) : -1;
  if (id < 0) return false;
  const btf_type* values = btf__type_by_id(types.get(), static_cast<uint32_t>(id));
  for (int i = 0; i < btf_vlen(values); i++) {
    const char* name = btf__name_by_offset(types.get(), btf_enum(values)[i].name_off);
    if (std::strcmp(name, "BPF_TRACE_UPROBE_MULTI") == 0) return true;
  }
  return false;
}

UniqueFd OpenCpuClock(int cpu, uint32_t frequency_hz) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.freq = 1;
  attributes.sample_freq = frequency_hz;
  return UniqueFd(static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
}

KernelInfo ReadKernelInfo() {
  KernelInfo info;
  utsname names{};
  if (uname(&names) == 0) {
    info.release = names.release;
    info.machine = names.machine;
  }
  const UniqueBtf types = LoadKernelTypes();
  info.btf = types != nullptr;
  for (const char* hook : kHooks) info.hooks.emplace_back(hook, types && ArgumentsOf(types.get(), hook) >= 0);
  const uint64_t effective = ReadEffectiveCapabilities();
  for (const auto& [name, bit] : kCapabilities) info.capabilities.emplace_back(name, (effective >> bit & 1) != 0);
  const std::string disabled = ReadLine("/proc/sys/kernel/unprivileged_bpf_disabled");
  if (!disabled.empty()) info.unprivileged_bpf_disabled = std::atoi(disabled.c_str());
  info.lockdown = ReadLockdown();
  info.perf_event_errno = OpenCpuClock(0, 49) ? 0 : errno;
  return info;
}

}  // namespace kindling
