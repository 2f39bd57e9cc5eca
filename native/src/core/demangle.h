// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace kindling {

// Longest name that readers get, in bytes.
constexpr size_t kMaxReadableName = 512;

// The name as a person writes it: C++ (Itanium ABI) without return type and parameters
// ("node::Environment::RunTimers"), Rust's legacy mangling without its hash ("core::fmt::write"). Names that are not
// mangled, or in a mangling that is not known (Rust v0), stay as they are. Compiler suffixes (`.cold`, `.part.0`,
// `.constprop.0`, `.llvm.123`) are cut. Never longer than kMaxReadableName.
std::string Demangle(std::string_view name);

// Replaces what must not appear in a frame: control characters by '?', and ';' (which separates the frames of a folded
// stack) by ':'. Cuts at kMaxReadableName.
std::string CleanName(std::string_view name);

}  // namespace kindling
