// SPDX-License-Identifier: Apache-2.0
//
// Turns addresses of processes and of the kernel into names.
//
// For an address of a process: the mapping that holds it (/proc/PID/maps), then the symbols of the mapped file, the
// vDSO's, or the names that the process's runtime wrote to its perf map. Mappings are read again when an address is
// in none of them, and every few seconds.
//
// Everything below /proc/PID belongs to someone else and may lie, change or vanish at any time; the worst it can get
// is a wrong or missing name for its own addresses. One limit remains: a file on a file system whose server does not
// answer (NFS, FUSE) blocks the caller as it blocks everyone who opens it.
//
// Thread: one; a Symbolizer may be made and used on any thread, but not on two at the same time.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "kallsyms.h"
#include "module_cache.h"
#include "perf_map.h"
#include "process_maps.h"

namespace kindling {

struct SymbolizerOptions {
  std::string proc = "/proc";
  size_t max_files = 256;
  size_t max_file_bytes = 256u << 20;
  size_t max_processes = 1024;
  // Of all perf maps together.
  size_t max_perf_map_bytes = 128u << 20;
};

struct SymbolizerStats {
  uint64_t files = 0;
  uint64_t file_bytes = 0;
  uint64_t file_loads = 0;
  uint64_t file_evictions = 0;
  uint64_t processes = 0;
  uint64_t perf_maps = 0;
  uint64_t perf_map_bytes = 0;
  uint64_t perf_map_malformed_lines = 0;
  uint64_t perf_map_dropped_entries = 0;
  uint64_t perf_maps_refused = 0;  // not a regular file of the process's user or root
  uint64_t kernel_symbols = 0;
  uint64_t kernel_bytes = 0;
  uint64_t unknown = 0;  // addresses that got no name
};

class Symbolizer {
 public:
  explicit Symbolizer(const SymbolizerOptions& options = {});
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // Names of a stack's addresses, innermost first, one for each. All but the first are taken as return addresses: the
  // call is the instruction before. A function's name; "[libfoo.so.1]+0x1234" (address within the file as addr2line
  // wants it) when its file has no symbol for it; "[stack]", "[anon]" and the like; or "[unknown]".
  std::vector<std::string> User(uint32_t pid, std::span<const uint64_t> addresses);

  // The same for kernel addresses. "[kernel]" when the name is unknown or addresses are hidden (kptr_restrict).
  std::vector<std::string> Kernel(std::span<const uint64_t> addresses);

  // `ended`: the process has exited; what is known of it stays for a minute. Otherwise it has replaced its image and
  // everything is forgotten.
  void Forget(uint32_t pid, bool ended);

  SymbolizerStats stats() const;

 private:
  struct Process;
  struct Region;

  Process* Find(uint32_t pid);
  bool Refresh(Process& process);
  Region* RegionOf(Process& process, uint64_t address);
  std::string NameOf(Process& process, uint64_t address);
  std::shared_ptr<Module> ModuleOf(Process& process, Region& region);
  std::string FileName(Process& process, Region& region, uint64_t address);
  std::string VdsoName(const Region& region, uint64_t address);
  std::string JitName(Process& process, uint64_t address);
  void UpdatePerfMap(Process& process);
  void ClearPerfMap(Process& process);
  void BoundPerfMaps(const Process& keep);
  void BoundProcesses();
  void Drop(std::list<Process>::iterator process);
  std::string Path(const Process& process, const char* name) const;

  const SymbolizerOptions options_;
  ModuleCache modules_;
  Kallsyms kallsyms_;
  int64_t kallsyms_read_ms_ = -(int64_t{1} << 40);
  std::unique_ptr<Module> vdso_;
  bool vdso_tried_ = false;
  std::list<Process> processes_;  // most recently used first
  std::unordered_map<uint32_t, std::list<Process>::iterator> by_pid_;
  int64_t now_ms_ = 0;  // of the current call
  size_t perf_map_bytes_ = 0;
  SymbolizerStats stats_;
};

}  // namespace kindling
