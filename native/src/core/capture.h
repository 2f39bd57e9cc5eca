// SPDX-License-Identifier: Apache-2.0
// Everything that runs while the agent watches: shared maps, topics, reader. Knows nothing of Node.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reader.h"
#include "shared_maps.h"
#include "topic.h"

#include "../util/unique_fd.h"

namespace kindling {

enum class NetVariant { kOff, kAuto, kSocket, kSyscall };

struct CaptureOptions {
  NetVariant net = NetVariant::kOff;
  bool sched = false;
  bool cpu = false;
  bool proc = false;
  bool tls = false;
  Knobs knobs;
  SelectionRules rules;
  size_t ring_bytes = 16 << 20;
  ReaderOptions reader;
};

struct TopicReport {
  TopicName name;
  bool attached = false;
  std::optional<Error> error;
};

// The topic that `variant` means on this kernel.
TopicName ChooseNet(NetVariant variant);

class Capture {
 public:
  // Fails only when nothing can run; a topic that fails is in report(). Programs run when this returns.
  static Result<std::unique_ptr<Capture>> Open(const CaptureOptions& options, std::vector<std::span<std::byte>> slabs,
                                               Reader::Deliver deliver);
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture();  // Detach(), stops the reader, frees maps and programs

  const std::vector<TopicReport>& report() const { return report_; }
  Reader& reader() { return *reader_; }
  SharedMaps& maps() { return maps_; }

  // Attaches a uprobe of the tls topic; fails when that topic is not loaded. Owner's thread.
  Result<uint32_t> AddProbe(const ProbePlace& place);
  void RemoveProbes(const std::vector<uint32_t>& handles);
  // Makes the kernel count what all BPF programs of the machine take, or stop counting. Counting itself costs each run
  // some tens of nanoseconds, and another process may have it switched on as well. Returns 0 or -errno.
  int SetMetering(bool on);
  // What each program has cost while anybody had the counting switched on, since it was loaded.
  std::vector<ProgramCost> ReadCosts() const;

  // Ends the programs; the reader goes on with what is in the ring. Owner's thread. Idempotent.
  void Detach();

 private:
  explicit Capture(SharedMaps maps) : maps_(std::move(maps)) {}

  void OpenTopic(TopicName name, const Knobs& knobs);
  Topic* FindTopic(TopicName name) const;

  // In order of construction; destroyed from the end: the reader uses the iterator's link, the topics use the maps.
  SharedMaps maps_;
  std::vector<TopicReport> report_;
  std::vector<std::unique_ptr<Topic>> topics_;
  UniqueFd metering_;  // the kernel counts while it is open
  std::unique_ptr<Reader> reader_;
};

// Loads every topic and variant on maps of its own, attaches nothing. Fails when the maps can't be created.
Result<std::vector<TopicReport>> TryTopics();

}  // namespace kindling
