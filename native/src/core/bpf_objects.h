// SPDX-License-Identifier: Apache-2.0
// The compiled BPF objects, embedded in the addon.
#pragma once

#include <cstddef>
#include <span>

#include "topic.h"

namespace kindling {

// The ELF file of a topic's programs. Lives as long as the addon.
std::span<const std::byte> BpfObjectOf(TopicName name);

}  // namespace kindling
