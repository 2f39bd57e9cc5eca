// SPDX-License-Identifier: Apache-2.0
#include "reader.h"

#include <algorithm>
#include <cstring>

#include <pthread.h>
#include <signal.h>

#include "bpf_iterator.h"
#include "clock.h"
#include "events.h"

namespace kindling {

Reader::Reader(RingBuffer ring, std::vector<std::span<std::byte>> slabs, const ReaderOptions& options, Deliver deliver)
    : ring_(std::move(ring)),
      slabs_(std::move(slabs)),
      options_(options),
      deliver_(std::move(deliver)),
      complete_up_to_(slabs_.size(), 0) {
  // Taken from the back, so the first slab is used first.
  for (uint32_t i = static_cast<uint32_t>(slabs_.size()); i-- > 0;) free_.push_back(i);
  thread_ = std::thread([this] { Run(); });
}

Reader::~Reader() { Stop(); }

void Reader::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Reader::Release(uint32_t slab) {
  {
    std::lock_guard lock(mutex_);
    if (slab >= slabs_.size() || released_ == delivered_) return;
    if (std::find(free_.begin(), free_.end(), slab) != free_.end()) return;
    free_.push_back(slab);
    released_++;
    drained_up_to_ = std::max(drained_up_to_, complete_up_to_[slab]);
    if (released_ == delivered_) drained_up_to_ = std::max(drained_up_to_, idle_since_delivery_);
  }
  changed_.notify_all();
}

uint64_t Reader::DrainedUpTo() const {
  std::lock_guard lock(mutex_);
  return drained_up_to_;
}

void Reader::Run() {
  pthread_setname_np(pthread_self(), "kindling-ring");
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are the main thread's business
  auto next_iteration = std::chrono::steady_clock::now() + options_.iterate;
  for (;;) {
    if (options_.iterator_link_fd >= 0 && std::chrono::steady_clock::now() >= next_iteration) {
      // Should it fail, waits are reported when they end and not before.
      RunIterator(options_.iterator_link_fd);
      next_iteration = std::chrono::steady_clock::now() + options_.iterate;
    }
    if (!Drain()) return;
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    // A ring that fills quickly is read again at once.
    if (ring_.UsedBytes() > ring_.size() / 8) continue;
    changed_.wait_for(lock, options_.poll, [this] { return stopping_; });
    if (stopping_) return;
  }
}

// One pass: everything that was reserved when it began. False when the reader is to stop.
bool Reader::Drain() {
  const uint64_t start = MonotonicNow();
  const uint64_t end = ring_.ProducerPosition();
  RingRecord record;
  bool complete = true;

  for (;;) {
    const RingBuffer::Next next = ring_.Peek(end, &record);
    if (next == RingBuffer::Next::kEnd) break;
    if (next == RingBuffer::Next::kBusy) {
      // The programs write a record within a microsecond; the rest waits for the next pass.
      complete = false;
      break;
    }
    if (next == RingBuffer::Next::kRecord && !Append(record)) return false;
    ring_.Advance();
  }
  ring_.Commit();
  if (slab_ != kNoSlab && filled_ > 0) {
    HandOver(complete ? start : 0);
  } else if (complete) {
    std::lock_guard lock(mutex_);
    idle_since_delivery_ = start;
    if (released_ == delivered_) drained_up_to_ = std::max(drained_up_to_, start);
  }
  return true;
}

// Copies one record into the current slab. False when the reader is to stop; the record then stays in the ring.
bool Reader::Append(const RingRecord& record) {
  event_header header;
  if (record.size() < sizeof(header)) return true;
  record.CopyTo(reinterpret_cast<std::byte*>(&header), sizeof(header));
  // The programs reserve in few sizes and say how much of the reservation is the record.
  const size_t size = std::min<size_t>(header.size, record.size());
  if (slab_ != kNoSlab && filled_ + size > slabs_[slab_].size()) HandOver(0);
  if (slab_ == kNoSlab && !TakeSlab()) return false;
  if (size > slabs_[slab_].size()) return true;
  record.CopyTo(slabs_[slab_].data() + filled_, size);
  filled_ += size;
  return true;
}

// Waits for a free slab. False when the reader is to stop.
bool Reader::TakeSlab() {
  std::unique_lock lock(mutex_);
  if (free_.empty()) {
    // What was copied so far need not wait in the ring as well.
    ring_.Commit();
    changed_.wait(lock, [this] { return stopping_ || !free_.empty(); });
  }
  if (stopping_) return false;
  slab_ = free_.back();
  free_.pop_back();
  filled_ = 0;
  return true;
}

// `complete_up_to`: 0, or the start of the pass that ends with this slab.
void Reader::HandOver(uint64_t complete_up_to) {
  const uint32_t slab = slab_;
  {
    std::lock_guard lock(mutex_);
    complete_up_to_[slab] = complete_up_to;
    delivered_++;
  }
  slab_ = kNoSlab;
  deliver_(slab, static_cast<uint32_t>(filled_));
}

}  // namespace kindling
