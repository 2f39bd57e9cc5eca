// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace kindling {

// Collects what libbpf has to say on this thread while it exists; without one libbpf stays silent. libbpf knows only
// one process-wide print function, so that function looks for the collector of its own thread.
class BpfLog {
 public:
  BpfLog();
  ~BpfLog();
  BpfLog(const BpfLog&) = delete;
  BpfLog& operator=(const BpfLog&) = delete;

  // Last warning, without the "libbpf: " in front; empty when there was none.
  const std::string& last() const { return last_; }

 private:
  friend struct BpfLogSink;
  std::string last_;
  BpfLog* outer_;
};

}  // namespace kindling
