// SPDX-License-Identifier: Apache-2.0
#include "link_reaper.h"

#include <algorithm>
#include <utility>

#include "../util/signal_block.h"

namespace kindling {
namespace {

constexpr size_t kThreads = 16;

}  // namespace

void LinkReaper::Take(std::vector<UniqueLink> links) {
  const SignalBlock no_signals;  // the threads inherit it: signals are Node's
  // What an earlier call left has mostly ended; waiting for it here bounds the number of threads.
  if (threads_.size() + std::min(kThreads, links.size()) > 4 * kThreads) Wait();
  std::vector<std::vector<UniqueLink>> shares(std::min(kThreads, links.size()));
  for (size_t i = 0; i < links.size(); i++) shares[i % shares.size()].push_back(std::move(links[i]));
  for (auto& share : shares) threads_.emplace_back([part = std::move(share)]() mutable { part.clear(); });
}

void LinkReaper::Wait() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace kindling
