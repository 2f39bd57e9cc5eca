// SPDX-License-Identifier: Apache-2.0
#include "convert.h"

#include <cstring>

namespace kindling {
namespace {

double Number(const Napi::Object& object, const char* key, double fallback) {
  const Napi::Value value = object.Get(key);
  return value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : fallback;
}

bool Flag(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  return value.IsBoolean() && value.As<Napi::Boolean>().Value();
}

template <typename T, typename Read>
std::vector<T> List(const Napi::Object& object, const char* key, Read read) {
  std::vector<T> list;
  const Napi::Value value = object.Get(key);
  if (!value.IsArray()) return list;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) read(array.Get(i), &list);
  return list;
}

void ReadPid(const Napi::Value& value, std::vector<uint32_t>* list) {
  if (value.IsNumber()) list->push_back(value.As<Napi::Number>().Uint32Value());
}

void ReadComm(const Napi::Value& value, std::vector<std::string>* list) {
  if (value.IsString()) list->push_back(value.As<Napi::String>().Utf8Value());
}

void ReadCgroup(const Napi::Value& value, std::vector<uint64_t>* list) {
  bool lossless = false;
  if (value.IsBigInt()) list->push_back(value.As<Napi::BigInt>().Uint64Value(&lossless));
}

NetVariant ReadNetVariant(const Napi::Value& value) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "auto") return NetVariant::kAuto;
  if (name == "socket") return NetVariant::kSocket;
  if (name == "syscall") return NetVariant::kSyscall;
  return NetVariant::kOff;
}

}  // namespace

std::string ErrnoName(int code) {
  const char* name = code == 0 ? nullptr : strerrorname_np(code);
  if (code == 524) return "ENOTSUPP";  // the kernel's own; glibc does not know it
  return name == nullptr ? "" : name;
}

Napi::Error ToJsError(Napi::Env env, const Error& error) {
  Napi::Error result =
      Napi::Error::New(env, error.hint.empty() ? error.message : error.message + ". " + error.hint);
  result.Set("code", Napi::String::New(env, ErrnoName(error.code)));
  result.Set("errno", Napi::Number::New(env, error.code));
  result.Set("hint", Napi::String::New(env, error.hint));
  result.Set("verifierLog", Napi::String::New(env, error.verifier_log));
  return result;
}

Napi::Value ToJs(Napi::Env env, const std::optional<Error>& error) {
  if (!error) return env.Undefined();
  Napi::Object object = Napi::Object::New(env);
  object.Set("errno", Napi::Number::New(env, error->code));
  object.Set("name", Napi::String::New(env, ErrnoName(error->code)));
  object.Set("message", Napi::String::New(env, error->message));
  object.Set("hint", Napi::String::New(env, error->hint));
  object.Set("verifierLog", Napi::String::New(env, error->verifier_log));
  return object;
}

Napi::Array ToJs(Napi::Env env, const std::vector<TopicReport>& reports) {
  Napi::Array array = Napi::Array::New(env, reports.size());
  for (uint32_t i = 0; i < reports.size(); i++) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", Napi::String::New(env, TopicLabel(reports[i].name)));
    object.Set("variant", Napi::String::New(env, VariantLabel(reports[i].name)));
    object.Set("attached", Napi::Boolean::New(env, reports[i].attached));
    object.Set("error", ToJs(env, reports[i].error));
    array.Set(i, object);
  }
  return array;
}

SelectionRules ReadSelectionRules(const Napi::Value& value) {
  SelectionRules rules;
  if (!value.IsObject()) return rules;
  const auto object = value.As<Napi::Object>();
  rules.select_by_default = Flag(object, "selectByDefault");
  rules.include_tgids = List<uint32_t>(object, "includePids", ReadPid);
  rules.exclude_tgids = List<uint32_t>(object, "excludePids", ReadPid);
  rules.include_comms = List<std::string>(object, "includeComms", ReadComm);
  rules.exclude_comms = List<std::string>(object, "excludeComms", ReadComm);
  rules.include_cgroups = List<uint64_t>(object, "includeCgroupIds", ReadCgroup);
  rules.exclude_cgroups = List<uint64_t>(object, "excludeCgroupIds", ReadCgroup);
  return rules;
}

CaptureOptions ReadCaptureOptions(const Napi::Object& object) {
  CaptureOptions options;
  options.net = ReadNetVariant(object.Get("netVariant"));
  options.sched = Flag(object, "sched");
  options.proc = Flag(object, "proc");
  options.tls = Flag(object, "tls");
  const double frequency = Number(object, "cpuFrequencyHz", 0);
  options.cpu = frequency > 0;
  options.knobs.cpu_frequency_hz = static_cast<uint32_t>(frequency);
  options.knobs.capture_bytes = static_cast<uint32_t>(Number(object, "captureBytes", 1024));
  options.knobs.open_wait_ns = static_cast<uint64_t>(Number(object, "openWaitMs", 200) * 1e6);
  options.ring_bytes = static_cast<size_t>(Number(object, "ringBytes", 16 << 20));
  options.reader.poll = std::chrono::milliseconds(static_cast<int64_t>(Number(object, "pollMs", 10)));
  options.reader.iterate =
      std::chrono::milliseconds(static_cast<int64_t>(Number(object, "openWaitIntervalMs", 1000)));
  options.rules = ReadSelectionRules(object.Get("rules"));
  return options;
}

}  // namespace kindling
