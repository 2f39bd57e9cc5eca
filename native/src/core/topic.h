// SPDX-License-Identifier: Apache-2.0
// One group of BPF programs (bpf/programs/<topic>): loaded, attached and freed on its own, on the shared maps.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "../util/result.h"
#include "link_reaper.h"
#include "program_cost.h"
#include "shared_maps.h"

namespace kindling {

struct Knobs {
  uint32_t capture_bytes = 1024;
  uint64_t open_wait_ns = 200'000'000;
  uint32_t cpu_frequency_hz = 49;
  bool unix_sockets = true;
};

enum class TopicName { kNetSocket, kNetSyscall, kNetMessage, kSched, kCpu, kProc, kTls };

// Every one, in the order in which reports name them.
inline constexpr TopicName kTopics[] = {TopicName::kNetSocket, TopicName::kNetSyscall, TopicName::kNetMessage,
                                        TopicName::kSched,     TopicName::kCpu,        TopicName::kProc,       TopicName::kTls};

const char* TopicLabel(TopicName name);    // "net", "sched", …
const char* VariantLabel(TopicName name);  // "socket", "syscall", "message" or ""

struct ObjectDeleter {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using UniqueObject = std::unique_ptr<bpf_object, ObjectDeleter>;

// Where a program of a topic that has uprobes attaches.
struct ProbePlace {
  std::string program;  // its function's name in bpf/programs
  std::string path;     // of the file, as this process sees it; the kernel keeps the inode
  uint64_t offset = 0;  // in the file
  uint64_t cookie = 0;  // what bpf_get_attach_cookie() answers
  int pid = -1;         // one process, or -1: all that map the file
};

class Topic {
 public:
  // Opens, sets the knobs, takes over the shared maps, loads (the verifier runs). Attaches nothing.
  static Result<std::unique_ptr<Topic>> Load(TopicName name, const SharedMaps& maps, const Knobs& knobs);

  // Attaches every program but uprobes, whose places are found later. On failure the topic is left without any link.
  std::optional<Error> Attach();
  // What could not be loaded or attached although the topic runs without it, see UseRights().
  const std::optional<Error>& shortfall() const { return shortfall_; }
  // Detaches every program from its hook. Idempotent.
  void Detach();

  // Attaches one uprobe or uretprobe (as its section says). Returns a handle for RemoveProbes().
  Result<uint32_t> AddProbe(const ProbePlace& place);
  // Returns before the kernel has let go of them. Unknown handles are ignored.
  void RemoveProbes(const std::vector<uint32_t>& handles);

  TopicName name() const { return name_; }
  // Adds what the topic's programs have cost; see ProgramCost.
  void ReadCosts(std::vector<ProgramCost>* out) const { ReadObjectCosts(object_.get(), TopicLabel(name_), out); }
  // Link of the topic's iterator program, -1 when it has none or is not attached.
  int iterator_link_fd() const { return iterator_ ? bpf_link__fd(iterator_.get()) : -1; }
  // The topic's program that writes what found no room in the ring before; -1 when it has none.
  int flush_program_fd() const { return flush_program_ == nullptr ? -1 : bpf_program__fd(flush_program_); }

 private:
  Topic(TopicName name, UniqueObject object, const Knobs& knobs)
      : name_(name), knobs_(knobs), object_(std::move(object)) {}
  // Adapts the object, before it is loaded, to what this process may do.
  void UseRights();

  std::optional<Error> AttachProgram(bpf_program* program);
  std::optional<Error> AttachCpuClock(bpf_program* program);
  void AttachToControlGroups(bpf_program* program);

  const TopicName name_;
  const Knobs knobs_;
  UniqueObject object_;            // before links_: links go first
  std::vector<UniqueLink> links_;
  const bpf_program* flush_program_ = nullptr;  // of object_
  std::optional<Error> shortfall_;
  bool uprobe_multi_ = false;  // uprobes are attached by links of their own, not by perf events
  std::vector<UniqueLink> searches_;  // iterators that run once, in this order, when everything is attached
  std::map<uint32_t, UniqueLink> probes_;
  uint32_t next_probe_ = 1;
  LinkReaper reaper_;
  UniqueLink iterator_;            // no hook: runs only when read, so it stays until the end
};

// `step` failed with -`code`: adds what libbpf said and what can be done about it.
Error DescribeBpfError(int code, const std::string& step, const std::string& libbpf_text,
                       const std::string& verifier_log);

}  // namespace kindling
