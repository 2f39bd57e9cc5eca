// SPDX-License-Identifier: Apache-2.0
// The consumer's side of a BPF_MAP_TYPE_RINGBUF (kernel/bpf/ringbuf.c, Documentation/bpf/ringbuf.rst).
//
// Own code instead of libbpf's ring_buffer: a pass must end at the producer's position as it was at its start, so that
// "everything up to time T is out" can be said, and libbpf's callback can neither say so nor put a record back when all
// slabs are in use.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "../util/result.h"

namespace kindling {

// Bytes of one record. `rest` is what lies at the start of the ring when the record does not end before the ring does.
struct RingRecord {
  std::span<const std::byte> head;
  std::span<const std::byte> rest;

  size_t size() const { return head.size() + rest.size(); }
  // Copies the first `count` bytes, at most size().
  void CopyTo(std::byte* target, size_t count) const;
};

class RingBuffer {
 public:
  // `map_fd` stays the caller's; `size` is the map's max_entries.
  static Result<RingBuffer> Map(int map_fd, size_t size);

  RingBuffer(RingBuffer&& other) noexcept;
  RingBuffer& operator=(RingBuffer&&) = delete;
  RingBuffer(const RingBuffer&) = delete;
  RingBuffer& operator=(const RingBuffer&) = delete;
  ~RingBuffer();

  size_t size() const { return size_; }

  // Position behind the last reserved record. Any thread.
  uint64_t ProducerPosition() const;
  // Bytes reserved and not consumed. Any thread.
  size_t UsedBytes() const;

  enum class Next { kRecord, kSkip, kBusy, kEnd };

  // Looks at the record at the consumer's position, unless that has reached `end`. kRecord fills `record`, which stays
  // valid until Commit() gives its place back. kSkip: a discarded record. kBusy: being written, look again later.
  // Consumer thread only.
  Next Peek(uint64_t end, RingRecord* record);
  // Steps over the record that Peek() has just shown; its place stays taken until Commit().
  void Advance();
  // Gives everything stepped over back to the kernel.
  void Commit();

 private:
  RingBuffer(void* consumer, void* producer, size_t size, size_t page);

  void* consumer_;  // one page: the consumer's position, writable
  // One page with the producer's position, then the data, read-only. The kernel would map the data twice in a row, so
  // that no record is cut; each mapping counts as resident memory of this process, and a cut is easily mended.
  void* producer_;
  size_t size_;
  size_t page_;
  uint64_t position_ = 0;  // consumer's, not yet told to the kernel
  uint32_t current_ = 0;   // length word of the record at position_
};

}  // namespace kindling
