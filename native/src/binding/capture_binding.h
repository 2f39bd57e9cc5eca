// SPDX-License-Identifier: Apache-2.0
// The class `Capture` of the addon. Every method runs on the thread of its environment (main or worker); only the
// delivery comes from the reader's thread, through the thread-safe function.
#pragma once

#include <memory>
#include <vector>

#include <napi.h>

#include "../core/capture.h"

namespace kindling {

class CaptureBinding : public Napi::ObjectWrap<CaptureBinding> {
 public:
  static Napi::Function Define(Napi::Env env);

  // new Capture(options, slabs: ArrayBuffer[], onSlab: (slab: number, bytes: number) => void)
  explicit CaptureBinding(const Napi::CallbackInfo& info);
  ~CaptureBinding() override;

 private:
  struct Message {
    uint32_t slab;
    uint32_t bytes;
  };
  static void CallOnSlab(Napi::Env env, Napi::Function on_slab, std::nullptr_t* context, Message* message);
  using Signal = Napi::TypedThreadSafeFunction<std::nullptr_t, Message, CallOnSlab>;

  Napi::Value Report(const Napi::CallbackInfo& info);
  void Release(const Napi::CallbackInfo& info);
  Napi::Value DrainedUpTo(const Napi::CallbackInfo& info);
  void ReadStats(const Napi::CallbackInfo& info);
  Napi::Value RingUsedBytes(const Napi::CallbackInfo& info);
  void SetRules(const Napi::CallbackInfo& info);
  Napi::Value AddProbe(const Napi::CallbackInfo& info);
  void RemoveProbes(const Napi::CallbackInfo& info);
  void SetShed(const Napi::CallbackInfo& info);
  Napi::Value SetMetering(const Napi::CallbackInfo& info);
  Napi::Value ReadCosts(const Napi::CallbackInfo& info);
  Napi::Value Detach(const Napi::CallbackInfo& info);
  void CloseMethod(const Napi::CallbackInfo& info);

  // Stops the thread, then drops the signal, then the slabs. Idempotent.
  void Close();
  static void OnEnvironmentExit(void* self);
  // Throws into JavaScript and returns false when closed.
  bool CheckOpen(Napi::Env env) const;

  napi_env env_;
  std::vector<Napi::Reference<Napi::ArrayBuffer>> slabs_;
  std::vector<Message> messages_;  // one per slab; address handed to `signal_` while the slab is on its way
  Signal signal_;
  std::unique_ptr<Capture> capture_;  // last: its thread uses all of the above
};

}  // namespace kindling
