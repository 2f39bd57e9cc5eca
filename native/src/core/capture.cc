// SPDX-License-Identifier: Apache-2.0
#include "capture.h"

#include <bpf/bpf.h>

#include "bpf_log.h"
#include "kernel_info.h"

namespace kindling {

TopicName ChooseNet(NetVariant variant) {
  if (variant == NetVariant::kAuto) variant = HasSocketHooks() ? NetVariant::kSocket : NetVariant::kSyscall;
  return variant == NetVariant::kSyscall ? TopicName::kNetSyscall : TopicName::kNetSocket;
}

Result<std::unique_ptr<Capture>> Capture::Open(const CaptureOptions& options,
                                               std::vector<std::span<std::byte>> slabs, Reader::Deliver deliver) {
  Result<SharedMaps> maps = SharedMaps::Load(options.ring_bytes);
  if (!maps.ok()) return maps.error();
  std::unique_ptr<Capture> capture(new Capture(std::move(maps.value())));
  Result<bool> rules = capture->maps_.SetRules(options.rules);
  if (!rules.ok()) return rules.error();
  {
    BpfLog log;
    const int result = capture->maps_.Attach();
    if (result != 0) return DescribeBpfError(result, "attaching the selection programs", log.last(), "");
  }
  Result<RingBuffer> ring = RingBuffer::Map(capture->maps_.events_fd(), options.ring_bytes);
  if (!ring.ok()) return ring.error();

  // Starts and ends of processes first, so that nothing is seen of a process whose exec was missed.
  if (options.proc) capture->OpenTopic(TopicName::kProc, options.knobs);
  if (options.sched) capture->OpenTopic(TopicName::kSched, options.knobs);
  if (options.cpu) capture->OpenTopic(TopicName::kCpu, options.knobs);
  if (options.net == NetVariant::kAuto) {
    capture->OpenTopic(ChooseNet(options.net), options.knobs);
    // The hooks may be there and the verifier still say no.
    if (capture->report_.back().name == TopicName::kNetSocket && !capture->report_.back().attached) {
      capture->OpenTopic(TopicName::kNetSyscall, options.knobs);
    }
  } else if (options.net != NetVariant::kOff) {
    capture->OpenTopic(ChooseNet(options.net), options.knobs);
  }

  if (options.tls) capture->OpenTopic(TopicName::kTls, options.knobs);

  ReaderOptions reader = options.reader;
  for (const auto& topic : capture->topics_) {
    if (topic->iterator_link_fd() >= 0) reader.iterator_link_fd = topic->iterator_link_fd();
  }
  capture->reader_ =
      std::make_unique<Reader>(std::move(ring.value()), std::move(slabs), reader, std::move(deliver));
  return capture;
}

void Capture::OpenTopic(TopicName name, const Knobs& knobs) {
  TopicReport& report = report_.emplace_back(TopicReport{name, false, std::nullopt});
  Result<std::unique_ptr<Topic>> topic = Topic::Load(name, maps_, knobs);
  if (!topic.ok()) {
    report.error = topic.error();
    return;
  }
  report.error = topic.value()->Attach();
  if (report.error) return;
  report.attached = true;
  topics_.push_back(std::move(topic.value()));
}

Topic* Capture::FindTopic(TopicName name) const {
  for (const auto& topic : topics_) {
    if (topic->name() == name) return topic.get();
  }
  return nullptr;
}

Result<uint32_t> Capture::AddProbe(const ProbePlace& place) {
  Topic* tls = FindTopic(TopicName::kTls);
  if (tls == nullptr) return Error{ENOENT, "the tls topic is not loaded", "", ""};
  return tls->AddProbe(place);
}

void Capture::RemoveProbes(const std::vector<uint32_t>& handles) {
  if (Topic* tls = FindTopic(TopicName::kTls)) tls->RemoveProbes(handles);
}

int Capture::SetMetering(bool on) {
  if (!on) {
    metering_ = UniqueFd();
    return 0;
  }
  if (metering_) return 0;
  const int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
  if (fd < 0) return fd;
  metering_ = UniqueFd(fd);
  return 0;
}

std::vector<ProgramCost> Capture::ReadCosts() const {
  std::vector<ProgramCost> costs;
  maps_.ReadCosts(&costs);
  for (const auto& topic : topics_) topic->ReadCosts(&costs);
  return costs;
}

void Capture::Detach() {
  for (const auto& topic : topics_) topic->Detach();
  maps_.Detach();
}

Capture::~Capture() {
  // The reader first: it uses the iterator's link.
  if (reader_) reader_->Stop();
  Detach();
}

Result<std::vector<TopicReport>> TryTopics() {
  Result<SharedMaps> maps = SharedMaps::Load(1 << 16);
  if (!maps.ok()) return maps.error();
  std::vector<TopicReport> reports;
  for (const TopicName name :
       {TopicName::kNetSocket, TopicName::kNetSyscall, TopicName::kSched, TopicName::kCpu, TopicName::kProc,
        TopicName::kTls}) {
    TopicReport& report = reports.emplace_back(TopicReport{name, false, std::nullopt});
    Result<std::unique_ptr<Topic>> topic = Topic::Load(name, maps.value(), Knobs{});
    if (!topic.ok()) report.error = topic.error();
  }
  return reports;
}

}  // namespace kindling
