// SPDX-License-Identifier: Apache-2.0
#include "ring_buffer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

#include <linux/bpf.h>

namespace kindling {
namespace {

template <typename T>
T LoadAcquire(const void* address) {
  return __atomic_load_n(static_cast<const T*>(address), __ATOMIC_ACQUIRE);
}

}  // namespace

void RingRecord::CopyTo(std::byte* target, size_t count) const {
  const size_t from_head = std::min(count, head.size());
  std::memcpy(target, head.data(), from_head);
  if (count > from_head) std::memcpy(target + from_head, rest.data(), std::min(count - from_head, rest.size()));
}

Result<RingBuffer> RingBuffer::Map(int map_fd, size_t size) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* consumer = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (consumer == MAP_FAILED) return Error{errno, "mmap of the ring buffer's consumer page failed", "", ""};
  void* producer = mmap(nullptr, page + size, PROT_READ, MAP_SHARED, map_fd, static_cast<off_t>(page));
  if (producer == MAP_FAILED) {
    const int code = errno;
    munmap(consumer, page);
    return Error{code, "mmap of the ring buffer's data failed", "", ""};
  }
  return RingBuffer(consumer, producer, size, page);
}

RingBuffer::RingBuffer(void* consumer, void* producer, size_t size, size_t page)
    : consumer_(consumer), producer_(producer), size_(size), page_(page), position_(LoadAcquire<uint64_t>(consumer)) {}

RingBuffer::RingBuffer(RingBuffer&& other) noexcept
    : consumer_(std::exchange(other.consumer_, nullptr)),
      producer_(std::exchange(other.producer_, nullptr)),
      size_(other.size_),
      page_(other.page_),
      position_(other.position_) {}

RingBuffer::~RingBuffer() {
  if (consumer_ != nullptr) munmap(consumer_, page_);
  if (producer_ != nullptr) munmap(producer_, page_ + size_);
}

uint64_t RingBuffer::ProducerPosition() const { return LoadAcquire<uint64_t>(producer_); }

size_t RingBuffer::UsedBytes() const {
  const uint64_t consumed = LoadAcquire<uint64_t>(consumer_);
  return static_cast<size_t>(ProducerPosition() - consumed);
}

RingBuffer::Next RingBuffer::Peek(uint64_t end, RingRecord* record) {
  if (position_ >= end) return Next::kEnd;
  const std::byte* ring = static_cast<const std::byte*>(producer_) + page_;
  const size_t at = position_ & (size_ - 1);
  // Everything is aligned to the size of a record's header, which is therefore never cut.
  current_ = LoadAcquire<uint32_t>(ring + at);
  if (current_ & BPF_RINGBUF_BUSY_BIT) return Next::kBusy;
  if (current_ & BPF_RINGBUF_DISCARD_BIT) return Next::kSkip;
  const size_t start = (at + BPF_RINGBUF_HDR_SZ) & (size_ - 1);
  const size_t head = std::min<size_t>(current_, size_ - start);
  *record = {{ring + start, head}, {ring, current_ - head}};
  return Next::kRecord;
}

void RingBuffer::Advance() {
  const uint32_t length = current_ & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
  position_ += (length + BPF_RINGBUF_HDR_SZ + 7) & ~7U;
}

void RingBuffer::Commit() { __atomic_store_n(static_cast<uint64_t*>(consumer_), position_, __ATOMIC_RELEASE); }

}  // namespace kindling
