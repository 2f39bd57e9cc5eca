// SPDX-License-Identifier: Apache-2.0
#include "topic.h"

#include <cerrno>
#include <cstring>
#include <span>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/capability.h>

#include "bpf_iterator.h"
#include "bpf_log.h"
#include "bpf_objects.h"
#include "cgroup_root.h"
#include "kernel_info.h"
#include "../util/signal_block.h"
#include "../util/unique_fd.h"

namespace kindling {
namespace {

constexpr size_t kVerifierLogBytes = 256 * 1024;
constexpr size_t kVerifierLogKept = 4096;
// bpf/programs/net/loss.bpf.h: has no hook, is run by the reader.
constexpr char kFlushProgram[] = "flush_losses";

// Sets a `const volatile` scalar of an object that is not loaded yet, by its name in the object's BTF. False when the
// object has no such knob: each topic has its own.
template <typename T>
bool SetKnob(bpf_object* object, const char* knob, T value) {
  const btf* types = bpf_object__btf(object);
  const int section = btf__find_by_name_kind(types, ".rodata", BTF_KIND_DATASEC);
  if (section < 0) return false;
  bpf_map* map = nullptr;
  bpf_map* candidate;
  bpf_object__for_each_map(candidate, object) {
    const char* name = bpf_map__name(candidate);
    if (bpf_map__is_internal(candidate) && std::strstr(name, ".rodata") != nullptr) map = candidate;
  }
  if (map == nullptr) return false;
  size_t size = 0;
  const auto* initial = static_cast<const char*>(bpf_map__initial_value(map, &size));
  if (initial == nullptr) return false;
  std::vector<char> data(initial, initial + size);
  const btf_type* variables = btf__type_by_id(types, static_cast<uint32_t>(section));
  const btf_var_secinfo* info = btf_var_secinfos(variables);
  for (int i = 0; i < btf_vlen(variables); i++) {
    const btf_type* variable = btf__type_by_id(types, info[i].type);
    if (std::strcmp(btf__name_by_offset(types, variable->name_off), knob) != 0) continue;
    if (info[i].size != sizeof(T) || info[i].offset + sizeof(T) > size) return false;
    std::memcpy(data.data() + info[i].offset, &value, sizeof(T));
    return bpf_map__set_initial_value(map, data.data(), data.size()) == 0;
  }
  return false;
}

std::string Hint(int code, const std::string& verifier_log) {
  switch (-code) {
    case EPERM:
      return "Loading BPF programs needs CAP_BPF and CAP_PERFMON: run as root, or give it these capabilities. Kernel "
             "lockdown in confidentiality mode forbids it altogether.";
    case EACCES:
    case EINVAL:
    case E2BIG:
    case ENOSPC:
      return verifier_log.empty() ? "" : "The kernel's BPF verifier refused the program. Please report its log.";
    case ENOENT:
    case ESRCH:
      return "This kernel has no BTF (CONFIG_DEBUG_INFO_BTF) or lacks the tracepoint or kernel function.";
    case ENOTSUP:
      return "This kernel lacks a BPF feature that the program uses.";
    case ENOMEM:
      return "The memory limit of the agent's control group may be too small for the ring buffer.";
    default:
      return "";
  }
}

bool IsReturnProbe(const bpf_program* program) {
  return std::strcmp(bpf_program__section_name(program), "uretprobe") == 0;
}

bpf_link* AttachPerf(const bpf_program* program, const ProbePlace& place) {
  LIBBPF_OPTS(bpf_uprobe_opts, options);
  options.bpf_cookie = place.cookie;
  options.retprobe = IsReturnProbe(program);
  return bpf_program__attach_uprobe_opts(program, place.pid, place.path.c_str(), place.offset, &options);
}

bpf_link* AttachMulti(const bpf_program* program, const ProbePlace& place) {
  const unsigned long offset = place.offset;
  const __u64 cookie = place.cookie;
  LIBBPF_OPTS(bpf_uprobe_multi_opts, options);
  options.offsets = &offset;
  options.cookies = &cookie;
  options.cnt = 1;
  options.retprobe = IsReturnProbe(program);
  return bpf_program__attach_uprobe_multi(program, place.pid, place.path.c_str(), nullptr, &options);
}

}  // namespace

const char* TopicLabel(TopicName name) {
  switch (name) {
    case TopicName::kNetSocket:
    case TopicName::kNetSyscall:
    case TopicName::kNetMessage: return "net";
    case TopicName::kSched: return "sched";
    case TopicName::kCpu: return "cpu";
    case TopicName::kProc: return "proc";
    case TopicName::kTls: return "tls";
  }
  return "";
}

const char* VariantLabel(TopicName name) {
  if (name == TopicName::kNetSocket) return "socket";
  if (name == TopicName::kNetSyscall) return "syscall";
  if (name == TopicName::kNetMessage) return "message";
  return "";
}

Error DescribeBpfError(int code, const std::string& step, const std::string& libbpf_text,
                       const std::string& verifier_log) {
  std::string message = step + " failed: " + std::strerror(-code);
  if (!libbpf_text.empty()) message += " (" + libbpf_text + ")";
  std::string kept = verifier_log;
  if (kept.size() > kVerifierLogKept) kept.erase(0, kept.size() - kVerifierLogKept);
  return Error{-code, message, Hint(code, verifier_log), kept};
}

Result<std::unique_ptr<Topic>> Topic::Load(TopicName name, const SharedMaps& maps, const Knobs& knobs) {
  const SignalBlock no_signals;
  BpfLog log;
  std::string verifier_log(kVerifierLogBytes, '\0');
  LIBBPF_OPTS(bpf_object_open_opts, options);
  options.object_name = TopicLabel(name);
  // Level 0: written only when a program is refused.
  options.kernel_log_buf = verifier_log.data();
  options.kernel_log_size = verifier_log.size();
  const std::span<const std::byte> elf = BpfObjectOf(name);
  UniqueObject object(bpf_object__open_mem(elf.data(), elf.size(), &options));
  if (!object) return DescribeBpfError(-errno, "opening the BPF object", log.last(), "");

  SetKnob<uint32_t>(object.get(), "self_tgid", maps.self_tgid());
  SetKnob<uint32_t>(object.get(), "capture_bytes", knobs.capture_bytes);
  SetKnob<uint64_t>(object.get(), "open_wait_ns", knobs.open_wait_ns);
  SetKnob<uint64_t>(object.get(), "detail_limit", maps.ring_bytes() / 8 * 7);
  SetKnob<bool>(object.get(), "unix_sockets", knobs.unix_sockets);
  if (name == TopicName::kSched) {
    SetKnob<bool>(object.get(), "has_prev_state", TracepointArguments("sched_switch") >= 4);
  }

  int result = maps.ShareWith(object.get());
  if (result != 0) return DescribeBpfError(result, "sharing the maps", log.last(), "");
  std::unique_ptr<Topic> topic(new Topic(name, std::move(object), knobs));
  topic->UseRights();
  result = bpf_object__load(topic->object_.get());
  verifier_log.resize(std::strlen(verifier_log.c_str()));
  if (result != 0) return DescribeBpfError(result, "loading the BPF programs", log.last(), verifier_log);
  return topic;
}

// CAP_BPF and CAP_PERFMON load and attach everything but two kinds of programs: those at control groups need
// CAP_NET_ADMIN, and uprobes by perf events CAP_SYS_ADMIN.
void Topic::UseRights() {
  if (HasCapability(CAP_SYS_ADMIN)) return;
  const bool may_multi = HasUprobeMulti();
  bpf_program* program;
  bpf_object__for_each_program(program, object_.get()) {
    if (bpf_program__type(program) == BPF_PROG_TYPE_CGROUP_SOCK_ADDR && !HasCapability(CAP_NET_ADMIN)) {
      bpf_program__set_autoload(program, false);
      shortfall_ = Error{EPERM, "programs at control groups need CAP_NET_ADMIN", "", ""};
    }
    if (bpf_program__type(program) == BPF_PROG_TYPE_KPROBE && may_multi) {
      bpf_program__set_expected_attach_type(program, BPF_TRACE_UPROBE_MULTI);
      uprobe_multi_ = true;
    }
  }
}

std::optional<Error> Topic::Attach() {
  bpf_program* program;
  bpf_object__for_each_program(program, object_.get()) {
    std::optional<Error> error = AttachProgram(program);
    if (error) {
      Detach();
      return error;
    }
  }
  // Only now: what comes after the search is seen by the hooks. A search that fails finds less.
  for (const UniqueLink& search : searches_) RunIterator(bpf_link__fd(search.get()));
  searches_.clear();
  return std::nullopt;
}

std::optional<Error> Topic::AttachProgram(bpf_program* program) {
  if (!bpf_program__autoload(program)) return std::nullopt;
  if (bpf_program__type(program) == BPF_PROG_TYPE_PERF_EVENT) return AttachCpuClock(program);
  if (bpf_program__type(program) == BPF_PROG_TYPE_CGROUP_SOCK_ADDR) {
    AttachToControlGroups(program);
    return std::nullopt;
  }
  if (std::strcmp(bpf_program__name(program), kFlushProgram) == 0) {
    flush_program_ = program;
    return std::nullopt;
  }
  if (bpf_program__type(program) == BPF_PROG_TYPE_KPROBE) return std::nullopt;  // a uprobe: AddProbe()
  BpfLog log;
  UniqueLink link(bpf_program__attach(program));
  if (!link) {
    return DescribeBpfError(-errno, std::string("attaching ") + bpf_program__name(program), log.last(), "");
  }
  if (bpf_program__expected_attach_type(program) == BPF_TRACE_ITER && std::strcmp(TopicLabel(name_), "net") == 0) {
    searches_.push_back(std::move(link));
  } else if (bpf_program__expected_attach_type(program) == BPF_TRACE_ITER) {
    iterator_ = std::move(link);
  } else {
    links_.push_back(std::move(link));
  }
  return std::nullopt;
}

// For all processes of the machine. They only add to what other programs see, so the topic runs without them.
void Topic::AttachToControlGroups(bpf_program* program) {
  BpfLog log;
  const UniqueFd root = OpenCgroupRoot();
  if (!root) {
    shortfall_ = DescribeBpfError(-errno, "opening the root of the control groups (v2)", "", "");
    return;
  }
  UniqueLink link(bpf_program__attach_cgroup(program, root.get()));
  if (!link) {
    shortfall_ = DescribeBpfError(-errno, std::string("attaching ") + bpf_program__name(program), log.last(), "");
    return;
  }
  links_.push_back(std::move(link));
}

Result<uint32_t> Topic::AddProbe(const ProbePlace& place) {
  BpfLog log;
  bpf_program* program = bpf_object__find_program_by_name(object_.get(), place.program.c_str());
  if (program == nullptr || bpf_program__type(program) != BPF_PROG_TYPE_KPROBE) {
    return Error{EINVAL, "there is no uprobe program " + place.program, "", ""};
  }
  UniqueLink link(uprobe_multi_ ? AttachMulti(program, place) : AttachPerf(program, place));
  if (!link) return DescribeBpfError(-errno, "attaching " + place.program, log.last(), "");
  const uint32_t handle = next_probe_++;
  probes_.emplace(handle, std::move(link));
  return handle;
}

void Topic::RemoveProbes(const std::vector<uint32_t>& handles) {
  std::vector<UniqueLink> links;
  for (const uint32_t handle : handles) {
    const auto probe = probes_.find(handle);
    if (probe == probes_.end()) continue;
    links.push_back(std::move(probe->second));
    probes_.erase(probe);
  }
  reaper_.Take(std::move(links));
}

void Topic::Detach() {
  links_.clear();
  std::vector<UniqueLink> probes;
  for (auto& [handle, link] : probes_) probes.push_back(std::move(link));
  probes_.clear();
  reaper_.Take(std::move(probes));
  reaper_.Wait();
}

// One event per CPU that is online now.
std::optional<Error> Topic::AttachCpuClock(bpf_program* program) {
  BpfLog log;
  const int cpus = libbpf_num_possible_cpus();
  int attached = 0;
  for (int cpu = 0; cpu < cpus; cpu++) {
    UniqueFd event = OpenCpuClock(cpu, knobs_.cpu_frequency_hz);
    if (!event) {
      if (errno == ENODEV) continue;  // offline
      return DescribeBpfError(-errno, "opening the CPU clock event", "", "");
    }
    UniqueLink link(bpf_program__attach_perf_event(program, event.get()));
    if (!link) return DescribeBpfError(-errno, "attaching to the CPU clock", log.last(), "");
    event.Release();  // the link closes it
    links_.push_back(std::move(link));
    attached++;
  }
  if (attached == 0) return DescribeBpfError(-ENODEV, "opening the CPU clock event", "", "");
  return std::nullopt;
}

}  // namespace kindling
