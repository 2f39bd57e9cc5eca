// SPDX-License-Identifier: Apache-2.0
// Detaches BPF links away from the caller's thread: taking a uprobe away waits for the kernel's grace periods, 100 ms
// and more for each, which pass together when many wait at once.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include <bpf/libbpf.h>

namespace kindling {

struct LinkDeleter {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using UniqueLink = std::unique_ptr<bpf_link, LinkDeleter>;

// Owner's thread only.
class LinkReaper {
 public:
  LinkReaper() = default;
  LinkReaper(const LinkReaper&) = delete;
  LinkReaper& operator=(const LinkReaper&) = delete;
  ~LinkReaper() { Wait(); }

  // Returns at once. The programs run until the kernel has let go of them, moments later.
  void Take(std::vector<UniqueLink> links);
  // Returns when everything taken is detached.
  void Wait();

 private:
  std::vector<std::thread> threads_;
};

}  // namespace kindling
