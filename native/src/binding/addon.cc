// SPDX-License-Identifier: Apache-2.0
// What build/native/kindling.node exports, once per environment (main thread or worker). No state of its own: every
// object holds its own, so any number of environments may load it.
#include <napi.h>

#include "abi_hash.h"
#include "capture_binding.h"
#include "probe_binding.h"
#include "symbolizer_binding.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("abiHash", Napi::String::New(env, KINDLING_ABI_HASH));
  exports.Set("Capture", kindling::CaptureBinding::Define(env));
  exports.Set("probe", Napi::Function::New(env, kindling::ProbeKernel, "probe"));
  exports.Set("clockOffset", Napi::Function::New(env, kindling::GetClockOffset, "clockOffset"));
  kindling::RegisterSymbolizer(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(kindling, Init)
