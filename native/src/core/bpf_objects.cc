// SPDX-License-Identifier: Apache-2.0
#include "bpf_objects.h"

// The assembler includes the file as it is; the path is relative to the directory that the compiler was given with
// -Wa,-I. libelf wants its memory aligned.
#define EMBED(name)                                                       \
  __asm__(".pushsection .rodata, \"a\"\n"                                 \
          ".balign 16\n"                                                  \
          ".hidden " #name "_bpf_begin\n.globl " #name "_bpf_begin\n"     \
          #name "_bpf_begin:\n.incbin \"" #name ".bpf.o\"\n"              \
          ".hidden " #name "_bpf_end\n.globl " #name "_bpf_end\n"         \
          #name "_bpf_end:\n"                                             \
          ".popsection\n");                                               \
  extern "C" __attribute__((visibility("hidden"))) const std::byte name##_bpf_begin[], name##_bpf_end[];

EMBED(cpu)
EMBED(net_socket)
EMBED(net_syscall)
EMBED(proc)
EMBED(sched)
EMBED(tls)

namespace kindling {

std::span<const std::byte> BpfObjectOf(TopicName name) {
  switch (name) {
    case TopicName::kNetSocket: return {net_socket_bpf_begin, net_socket_bpf_end};
    case TopicName::kNetSyscall: return {net_syscall_bpf_begin, net_syscall_bpf_end};
    case TopicName::kSched: return {sched_bpf_begin, sched_bpf_end};
    case TopicName::kCpu: return {cpu_bpf_begin, cpu_bpf_end};
    case TopicName::kProc: return {proc_bpf_begin, proc_bpf_end};
    case TopicName::kTls: return {tls_bpf_begin, tls_bpf_end};
  }
  return {};
}

}  // namespace kindling
