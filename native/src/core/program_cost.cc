// SPDX-License-Identifier: Apache-2.0
#include "program_cost.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace kindling {

void ReadObjectCosts(const bpf_object* object, const char* topic, std::vector<ProgramCost>* out) {
  bpf_program* program;
  bpf_object__for_each_program(program, object) {
    const int fd = bpf_program__fd(program);
    if (fd < 0) continue;
    bpf_prog_info info{};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) continue;
    out->push_back({topic, bpf_program__name(program), info.run_time_ns, info.run_cnt});
  }
}

}  // namespace kindling
