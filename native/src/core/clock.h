// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace kindling {

// CLOCK_MONOTONIC in nanoseconds: the clock of every record (bpf_ktime_get_ns). Any thread.
uint64_t MonotonicNow();

struct ClockOffset {
  uint64_t offset_ns;  // CLOCK_REALTIME - CLOCK_MONOTONIC
  uint64_t error_ns;   // the true offset is at most this far away
};

// The best of five readings of one clock between two of the other. Any thread.
ClockOffset ReadClockOffset();

}  // namespace kindling
