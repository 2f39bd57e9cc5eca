// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../util/unique_fd.h"

namespace kindling {

// The root directory of the control group hierarchy (v2), whether or not it is mounted where this process can see it.
// Empty with errno set when the kernel has none or refuses it.
UniqueFd OpenCgroupRoot();

}  // namespace kindling
