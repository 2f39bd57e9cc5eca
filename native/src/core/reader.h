// SPDX-License-Identifier: Apache-2.0
// The thread that moves records from the ring buffer into slabs.
//
//   kernel ── ring ──► reader thread ── slab full, or end of a pass ──► deliver(slab, bytes) ──► owner's thread
//                          ▲                                                                        │
//                          └──────────────────────── free slabs ◄── Release(slab) ◄─────────────────┘
//
// With no slab free the reader waits, the ring fills up, and the kernel counts what it can't store.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "ring_buffer.h"

namespace kindling {

struct ReaderOptions {
  std::chrono::milliseconds poll{10};          // between two passes
  std::chrono::milliseconds iterate{1000};     // between two runs of the iterator
  int iterator_link_fd = -1;                   // of a BPF iterator to run; -1: none. The caller's; outlives the reader.
};

class Reader {
 public:
  // Called on the reader's thread; must not block and must not call Stop().
  using Deliver = std::function<void(uint32_t slab, uint32_t bytes)>;

  // `slabs` are the caller's memory, each at least as large as the largest record; they outlive the reader.
  Reader(RingBuffer ring, std::vector<std::span<std::byte>> slabs, const ReaderOptions& options, Deliver deliver);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader();  // Stop()

  // Owner's thread. The slab may be filled again. Slabs come back in the order in which they were delivered.
  void Release(uint32_t slab);
  // Any thread but the reader's. Returns when the thread has ended; no delivery afterwards. Idempotent.
  void Stop();
  // Any thread. CLOCK_MONOTONIC ns: every record committed before has been delivered and released. 0: none yet.
  uint64_t DrainedUpTo() const;
  // Any thread.
  size_t RingUsedBytes() const { return ring_.UsedBytes(); }

 private:
  static constexpr uint32_t kNoSlab = UINT32_MAX;

  void Run();
  bool Drain();
  bool Append(const RingRecord& record);
  bool TakeSlab();
  void HandOver(uint64_t complete_up_to);

  RingBuffer ring_;
  const std::vector<std::span<std::byte>> slabs_;
  const ReaderOptions options_;
  const Deliver deliver_;

  // Reader's thread only.
  uint32_t slab_ = kNoSlab;  // being filled
  size_t filled_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Under mutex_.
  bool stopping_ = false;
  std::vector<uint32_t> free_;
  std::vector<uint64_t> complete_up_to_;  // by slab: what DrainedUpTo() may say once it is released
  uint64_t delivered_ = 0;                // slabs
  uint64_t released_ = 0;
  uint64_t idle_since_delivery_ = 0;      // of the last pass that found the ring empty
  uint64_t drained_up_to_ = 0;

  std::thread thread_;  // last: starts when everything above exists
};

}  // namespace kindling
