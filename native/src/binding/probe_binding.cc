// SPDX-License-Identifier: Apache-2.0
#include "probe_binding.h"

#include <bpf/libbpf.h>

#include "../core/clock.h"
#include "../core/kernel_info.h"
#include "convert.h"

namespace kindling {
namespace {

Napi::Object ToJs(Napi::Env env, const std::vector<std::pair<const char*, bool>>& flags) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [name, set] : flags) object.Set(name, Napi::Boolean::New(env, set));
  return object;
}

// When not even the maps can be made, that is what every topic would say.
std::vector<TopicReport> TryAllTopics() {
  Result<std::vector<TopicReport>> reports = TryTopics();
  if (reports.ok()) return reports.value();
  std::vector<TopicReport> failed;
  for (const TopicName name :
       {TopicName::kNetSocket, TopicName::kNetSyscall, TopicName::kSched, TopicName::kCpu, TopicName::kProc,
        TopicName::kTls}) {
    failed.push_back({name, false, reports.error()});
  }
  return failed;
}

}  // namespace

Napi::Value ProbeKernel(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const KernelInfo kernel = ReadKernelInfo();
  Napi::Object perf = Napi::Object::New(env);
  perf.Set("available", Napi::Boolean::New(env, kernel.perf_event_errno == 0));
  perf.Set("errno", Napi::Number::New(env, kernel.perf_event_errno));
  perf.Set("name", Napi::String::New(env, ErrnoName(kernel.perf_event_errno)));

  Napi::Object probe = Napi::Object::New(env);
  probe.Set("kernelRelease", Napi::String::New(env, kernel.release));
  probe.Set("machine", Napi::String::New(env, kernel.machine));
  probe.Set("btf", Napi::Boolean::New(env, kernel.btf));
  probe.Set("capabilities", ToJs(env, kernel.capabilities));
  probe.Set("hooks", ToJs(env, kernel.hooks));
  probe.Set("netVariant", Napi::String::New(env, VariantLabel(ChooseNet(NetVariant::kAuto))));
  probe.Set("topics", kindling::ToJs(env, TryAllTopics()));
  probe.Set("perfEvent", perf);
  probe.Set("unprivilegedBpfDisabled", Napi::Number::New(env, kernel.unprivileged_bpf_disabled));
  probe.Set("lockdown", Napi::String::New(env, kernel.lockdown));
  probe.Set("libbpf", Napi::String::New(env, std::to_string(libbpf_major_version()) + "." +
                                                 std::to_string(libbpf_minor_version())));
  return probe;
}

Napi::Value GetClockOffset(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const ClockOffset clock = ReadClockOffset();
  Napi::Object object = Napi::Object::New(env);
  object.Set("hi", Napi::Number::New(env, static_cast<uint32_t>(clock.offset_ns >> 32)));
  object.Set("lo", Napi::Number::New(env, static_cast<uint32_t>(clock.offset_ns)));
  object.Set("errorNs", Napi::Number::New(env, static_cast<double>(clock.error_ns)));
  return object;
}

}  // namespace kindling
