// SPDX-License-Identifier: Apache-2.0
#include "symbolizer_binding.h"

#include <span>
#include <string>
#include <vector>

#include "../core/symbolizer.h"

namespace kindling {

namespace {

// A size from the options object, unless it is absent or no sensible number.
void ReadSize(const Napi::Object& options, const char* name, size_t& size) {
  Napi::Value value = options.Get(name);
  if (!value.IsNumber()) return;
  double number = value.As<Napi::Number>().DoubleValue();
  if (number >= 1 && number <= 1e15) size = static_cast<size_t>(number);
}

SymbolizerOptions ReadOptions(const Napi::CallbackInfo& info) {
  SymbolizerOptions options;
  if (info.Length() == 0 || !info[0].IsObject()) return options;
  auto object = info[0].As<Napi::Object>();
  ReadSize(object, "maxFiles", options.max_files);
  ReadSize(object, "maxFileBytes", options.max_file_bytes);
  ReadSize(object, "maxProcesses", options.max_processes);
  ReadSize(object, "maxPerfMapBytes", options.max_perf_map_bytes);
  return options;
}

class SymbolizerObject : public Napi::ObjectWrap<SymbolizerObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Symbolizer",
                       {
                           InstanceMethod<&SymbolizerObject::User>("user"),
                           InstanceMethod<&SymbolizerObject::Kernel>("kernel"),
                           InstanceMethod<&SymbolizerObject::Forget>("forget"),
                           InstanceMethod<&SymbolizerObject::Stats>("stats"),
                       });
  }

  explicit SymbolizerObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<SymbolizerObject>(info), symbolizer_(ReadOptions(info)) {}

 private:
  static bool IsAddresses(const Napi::Value& value) {
    return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_biguint64_array;
  }

  // SAFETY: the span is used before control returns to JavaScript, so the array can be neither freed nor detached.
  static std::span<const uint64_t> Addresses(const Napi::Value& value) {
    auto array = value.As<Napi::BigUint64Array>();
    return {array.Data(), array.ElementLength()};
  }

  static Napi::Value ToArray(Napi::Env env, const std::vector<std::string>& names) {
    auto array = Napi::Array::New(env, names.size());
    for (uint32_t i = 0; i < names.size(); i++) array.Set(i, Napi::String::New(env, names[i]));
    return array;
  }

  Napi::Value User(const Napi::CallbackInfo& info) {
    if (info.Length() < 2 || !info[0].IsNumber() || !IsAddresses(info[1])) {
      Napi::TypeError::New(info.Env(), "user() takes a pid and a BigUint64Array.").ThrowAsJavaScriptException();
      return info.Env().Undefined();
    }
    return ToArray(info.Env(), symbolizer_.User(info[0].As<Napi::Number>().Uint32Value(), Addresses(info[1])));
  }

  Napi::Value Kernel(const Napi::CallbackInfo& info) {
    if (info.Length() < 1 || !IsAddresses(info[0])) {
      Napi::TypeError::New(info.Env(), "kernel() takes a BigUint64Array.").ThrowAsJavaScriptException();
      return info.Env().Undefined();
    }
    return ToArray(info.Env(), symbolizer_.Kernel(Addresses(info[0])));
  }

  Napi::Value Forget(const Napi::CallbackInfo& info) {
    if (info.Length() < 2 || !info[0].IsNumber() || !info[1].IsBoolean()) {
      Napi::TypeError::New(info.Env(), "forget() takes a pid and a boolean.").ThrowAsJavaScriptException();
      return info.Env().Undefined();
    }
    symbolizer_.Forget(info[0].As<Napi::Number>().Uint32Value(), info[1].As<Napi::Boolean>().Value());
    return info.Env().Undefined();
  }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    SymbolizerStats stats = symbolizer_.stats();
    auto object = Napi::Object::New(info.Env());
    auto set = [&](const char* name, uint64_t value) {
      object.Set(name, Napi::Number::New(info.Env(), static_cast<double>(value)));
    };
    set("files", stats.files);
    set("fileBytes", stats.file_bytes);
    set("fileLoads", stats.file_loads);
    set("fileEvictions", stats.file_evictions);
    set("processes", stats.processes);
    set("perfMaps", stats.perf_maps);
    set("perfMapBytes", stats.perf_map_bytes);
    set("perfMapMalformedLines", stats.perf_map_malformed_lines);
    set("perfMapDroppedEntries", stats.perf_map_dropped_entries);
    set("perfMapsRefused", stats.perf_maps_refused);
    set("kernelSymbols", stats.kernel_symbols);
    set("kernelBytes", stats.kernel_bytes);
    set("unknown", stats.unknown);
    return object;
  }

  Symbolizer symbolizer_;
};

}  // namespace

void RegisterSymbolizer(Napi::Env env, Napi::Object exports) {
  exports.Set("Symbolizer", SymbolizerObject::Define(env));
}

}  // namespace kindling
