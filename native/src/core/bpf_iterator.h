// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace kindling {

// Runs an attached BPF iterator once, over all its objects: reading its file to the end does that. What the program
// itself writes to the file is dropped. Returns 0 or -errno. Any thread.
int RunIterator(int link_fd);

// Runs a program that has no hook (SEC("raw_tp"), never attached) once. Returns 0 or -errno. Any thread.
int RunProgram(int program_fd);

}  // namespace kindling
