// SPDX-License-Identifier: Apache-2.0
// Between JavaScript values and the core's. Arguments were checked with good messages by src/receiver/ebpf/native.ts;
// here a wrong type only must not crash: it reads as the default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <napi.h>

#include "../core/capture.h"

namespace kindling {

// A JavaScript Error with `code` (errno name), `errno`, `hint`, `verifierLog`.
Napi::Error ToJsError(Napi::Env env, const Error& error);

// { errno, name, message, hint, verifierLog } as `LoadError` of native.ts.
Napi::Value ToJs(Napi::Env env, const std::optional<Error>& error);

Napi::Array ToJs(Napi::Env env, const std::vector<TopicReport>& reports);

CaptureOptions ReadCaptureOptions(const Napi::Object& options);
SelectionRules ReadSelectionRules(const Napi::Value& rules);
// From a Float64Array of cookie, head bytes, tail bytes; and so on.
std::vector<SocketRule> ReadSocketRules(const Napi::Value& rules);

// "EPERM"; "" for 0.
std::string ErrnoName(int code);

}  // namespace kindling
