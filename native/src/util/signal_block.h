// SPDX-License-Identifier: Apache-2.0
// Keeps signals away from this thread for the length of a scope.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace kindling {

// The verifier gives up with EAGAIN as soon as a signal is pending (kernel/bpf/verifier.c: do_check), and libbpf tries
// only five times: under a profiler that sends SIGPROF each millisecond no program of ours would ever load.
class SignalBlock {
 public:
  SignalBlock() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;
  ~SignalBlock() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace kindling
