// SPDX-License-Identifier: Apache-2.0
#include "clock.h"

#include <time.h>

namespace kindling {
namespace {

uint64_t Read(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

uint64_t MonotonicNow() { return Read(CLOCK_MONOTONIC); }

ClockOffset ReadClockOffset() {
  ClockOffset best{0, UINT64_MAX};
  for (int i = 0; i < 5; i++) {
    const uint64_t before = Read(CLOCK_MONOTONIC);
    const uint64_t wall = Read(CLOCK_REALTIME);
    const uint64_t after = Read(CLOCK_MONOTONIC);
    const uint64_t error = (after - before + 1) / 2;
    if (error < best.error_ns) best = {wall - (before + (after - before) / 2), error};
  }
  return best;
}

}  // namespace kindling
