// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

namespace kindling {

// Adds the class `Symbolizer` to `exports`:
//
//   new Symbolizer({ maxFiles?, maxFileBytes?, maxProcesses?, maxPerfMapBytes? }?)
//   user(pid: number, addresses: BigUint64Array): string[]
//   kernel(addresses: BigUint64Array): string[]
//   forget(pid: number, ended: boolean): void
//   stats(): Record<string, number>
//
// Every call is synchronous and belongs to the thread of its environment. No state is shared between environments.
// Arguments of another type throw a TypeError; nothing else throws.
void RegisterSymbolizer(Napi::Env env, Napi::Object exports);

}  // namespace kindling
