// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

namespace kindling {

// probe() and clockOffset() of native.ts.
Napi::Value ProbeKernel(const Napi::CallbackInfo& info);
Napi::Value GetClockOffset(const Napi::CallbackInfo& info);

}  // namespace kindling
