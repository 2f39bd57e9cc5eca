// SPDX-License-Identifier: Apache-2.0
#include "symbolizer.h"

#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "demangle.h"

namespace kindling {

namespace {

constexpr int64_t kNever = -(int64_t{1} << 40);
constexpr int64_t kMappingsFreshMs = 10'000;
constexpr int64_t kMissRetryMs = 500;
constexpr int64_t kPerfMapRetryMs = 1'000;
constexpr int64_t kKeepEndedMs = 60'000;
constexpr int64_t kKallsymsRetryMs = 60'000;
// Attempts to open one mapped file again, after its symbols have been evicted or could not be read.
constexpr int64_t kFileRetryMs = 10'000;

int64_t NowMs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
}

// Field 22 of /proc/PID/stat. The command name (field 2) is in parentheses and may hold anything, ')' too.
uint64_t StartTicks(std::string_view stat) {
  size_t at = stat.rfind(") ");
  if (at == std::string_view::npos) return 0;
  at += 2;
  for (int field = 3; field < 22; field++) {
    at = stat.find(' ', at);
    if (at == std::string_view::npos) return 0;
    at++;
  }
  uint64_t ticks = 0;
  std::from_chars(stat.data() + at, stat.data() + stat.size(), ticks);
  return ticks;
}

// The `index`th number after `key` ("Uid:", "NSpid:") in /proc/PID/status; a negative index counts from the end.
std::optional<uint32_t> StatusNumber(std::string_view status, std::string_view key, int index) {
  // The first line holds the command name, where a line break is escaped; keys stand at the start of a line.
  size_t at = status.find("\n" + std::string(key));
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view line = status.substr(at + 1 + key.size());
  line = line.substr(0, line.find('\n'));
  std::vector<uint32_t> numbers;
  while (!line.empty()) {
    line.remove_prefix(std::min(line.find_first_of("0123456789"), line.size()));
    uint32_t value = 0;
    auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error != std::errc()) break;
    numbers.push_back(value);
    line.remove_prefix(static_cast<size_t>(end - line.data()));
  }
  int count = static_cast<int>(numbers.size());
  int place = index < 0 ? count + index : index;
  if (place < 0 || place >= count) return std::nullopt;
  return numbers[static_cast<size_t>(place)];
}

std::string WithOffset(std::string_view name, uint64_t offset) {
  char text[32];
  snprintf(text, sizeof text, "+0x%lx", static_cast<unsigned long>(offset));
  return "[" + CleanName(name) + "]" + text;
}

}  // namespace

struct Symbolizer::Region : Mapping {
  std::weak_ptr<Module> module;  // owned by the cache
  int64_t tried_ms = kNever;
  bool no_code = false;  // looked at, and there is nothing to read
};

struct Symbolizer::Process {
  uint32_t pid = 0;
  uint64_t start_ticks = 0;
  uint32_t uid = 0;
  uint32_t namespace_pid = 0;
  std::vector<Region> regions;
  int64_t read_ms = kNever;  // mappings, the last attempt
  int64_t ended_ms = 0;         // 0: alive as far as is known
  PerfMap perf_map;
  int64_t perf_map_ms = kNever;
  size_t perf_map_bytes = 0;
  uint64_t perf_map_malformed = 0;
  uint64_t perf_map_dropped = 0;
  bool perf_map_refused = false;
};

Symbolizer::Symbolizer(const SymbolizerOptions& options)
    : options_(options), modules_(options.max_files, options.max_file_bytes) {}

Symbolizer::~Symbolizer() = default;

std::vector<std::string> Symbolizer::User(uint32_t pid, std::span<const uint64_t> addresses) {
  std::vector<std::string> names;
  names.reserve(addresses.size());
  now_ms_ = NowMs();
  Process* process = Find(pid);
  for (size_t i = 0; i < addresses.size(); i++) {
    uint64_t address = i > 0 && addresses[i] > 0 ? addresses[i] - 1 : addresses[i];
    std::string name = process != nullptr ? NameOf(*process, address) : "";
    if (name.empty()) {
      stats_.unknown++;
      name = "[unknown]";
    }
    names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> Symbolizer::Kernel(std::span<const uint64_t> addresses) {
  std::vector<std::string> names;
  names.reserve(addresses.size());
  int64_t now = NowMs();
  for (size_t i = 0; i < addresses.size(); i++) {
    uint64_t address = i > 0 && addresses[i] > 0 ? addresses[i] - 1 : addresses[i];
    std::string_view name = kallsyms_.Find(address);
    // Read late and again: modules and BPF programs come and go.
    if (name.empty() && now - kallsyms_read_ms_ > kKallsymsRetryMs) {
      kallsyms_read_ms_ = now;
      kallsyms_.Load(options_.proc + "/kallsyms");
      name = kallsyms_.Find(address);
    }
    if (name.empty()) stats_.unknown++;
    names.push_back(name.empty() ? "[kernel]" : Demangle(name));
  }
  return names;
}

void Symbolizer::Forget(uint32_t pid, bool ended) {
  auto known = by_pid_.find(pid);
  if (known == by_pid_.end()) return;
  if (!ended)
    Drop(known->second);
  else if (known->second->ended_ms == 0)
    known->second->ended_ms = NowMs();
}

std::string Symbolizer::Path(const Process& process, const char* name) const {
  return options_.proc + "/" + std::to_string(process.pid) + "/" + name;
}

Symbolizer::Process* Symbolizer::Find(uint32_t pid) {
  auto known = by_pid_.find(pid);
  if (known == by_pid_.end()) {
    processes_.emplace_front();
    processes_.front().pid = pid;
    by_pid_[pid] = processes_.begin();
    Refresh(processes_.front());
    BoundProcesses();
    return &processes_.front();
  }
  processes_.splice(processes_.begin(), processes_, known->second);
  Process& process = processes_.front();
  if (now_ms_ - process.read_ms > kMappingsFreshMs) Refresh(process);
  return &process;
}

// Reads the mappings. Those of a process that has ended stay as they were.
bool Symbolizer::Refresh(Process& process) {
  process.read_ms = now_ms_;
  uint64_t ticks = StartTicks(ReadText(Path(process, "stat"), 4096));
  std::string text = ticks == 0 ? "" : ReadText(Path(process, "maps"), kMaxMapsText);
  std::string status = text.empty() ? "" : ReadText(Path(process, "status"), 16384);
  // The pid may have gone to another process while we were reading.
  if (status.empty() || StartTicks(ReadText(Path(process, "stat"), 4096)) != ticks) {
    if (process.ended_ms == 0) process.ended_ms = now_ms_;
    return false;
  }
  if (process.start_ticks != 0 && process.start_ticks != ticks) {
    process.regions.clear();
    ClearPerfMap(process);
  }
  process.start_ticks = ticks;
  process.ended_ms = 0;
  process.uid = StatusNumber(status, "Uid:", 1).value_or(0);
  process.namespace_pid = StatusNumber(status, "NSpid:", -1).value_or(process.pid);

  std::vector<Region> regions;
  auto old = process.regions.begin();
  for (Mapping& m : ParseMaps(text)) {
    Region region;
    static_cast<Mapping&>(region) = std::move(m);
    while (old != process.regions.end() && old->start < region.start) ++old;
    if (old != process.regions.end() && old->start == region.start && old->offset == region.offset &&
        old->device == region.device && old->inode == region.inode) {
      region.module = old->module;
      region.tried_ms = old->tried_ms;
      region.no_code = old->no_code;
    }
    regions.push_back(std::move(region));
  }
  process.regions = std::move(regions);
  return true;
}

Symbolizer::Region* Symbolizer::RegionOf(Process& process, uint64_t address) {
  auto& regions = process.regions;
  auto it = std::upper_bound(regions.begin(), regions.end(), address,
                             [](uint64_t a, const Region& r) { return a < r.start; });
  if (it == regions.begin()) return nullptr;
  --it;
  return address < it->end ? &*it : nullptr;
}

std::string Symbolizer::NameOf(Process& process, uint64_t address) {
  Region* region = RegionOf(process, address);
  if (region == nullptr && now_ms_ - process.read_ms > kMissRetryMs && Refresh(process))
    region = RegionOf(process, address);
  if (region == nullptr) return "";
  if (region->path == "[vdso]") return VdsoName(*region, address);
  std::string name;
  if (region->IsFile()) {
    name = FileName(process, *region, address);
    if (!name.empty() && name[0] != '[') return name;
  }
  // Generated code lives in anonymous memory, or in files that exist only to be mapped (memfd, deleted ones). V8 also
  // writes names of code that it carries inside its own binary.
  std::string generated = JitName(process, address);
  if (!generated.empty()) return generated;
  if (!name.empty()) return name;
  if (!region->path.empty() && region->path[0] == '[') return CleanName(region->path);
  return region->path.empty() || region->path[0] == '/' ? "[anon]" : WithOffset(region->path, address - region->start);
}

std::string Symbolizer::FileName(Process& process, Region& region, uint64_t address) {
  uint64_t offset = address - region.start + region.offset;
  auto module = ModuleOf(process, region);
  if (module) {
    const std::string& name = module->NameAt(offset);
    if (!name.empty()) return name;
    offset = module->elf().AddressOf(offset).value_or(offset);
  }
  size_t slash = region.path.rfind('/');
  return WithOffset(std::string_view(region.path).substr(slash + 1), offset);
}

// Opens the very file that is mapped: by its path in the process's own root when the inode there is still the same,
// else (deleted, replaced, or a path that another mount now hides) through the mapping itself, which needs
// CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. Device numbers are not compared: overlayfs and btrfs show another one in
// stat(2) than in maps.
std::shared_ptr<Module> Symbolizer::ModuleOf(Process& process, Region& region) {
  if (auto module = region.module.lock()) {
    modules_.Touch(module);
    return module;
  }
  if (region.no_code || now_ms_ - region.tried_ms < kFileRetryMs) return nullptr;
  region.tried_ms = now_ms_;
  std::string root = Path(process, "root");
  std::unique_ptr<FileSource> file;
  if (!region.deleted) file = FileSource::OpenInRoot(root, region.path, true);
  if (!file || file->identity().inode != region.inode) {
    char range[64];
    snprintf(range, sizeof range, "map_files/%lx-%lx", static_cast<unsigned long>(region.start),
             static_cast<unsigned long>(region.end));
    file = FileSource::Open(Path(process, range));
  }
  if (!file) return nullptr;
  auto module = modules_.Get(*file, root);
  region.module = module;
  region.no_code = !module;
  return module;
}

// The kernel maps the same vDSO into every 64-bit process, this one included.
std::string Symbolizer::VdsoName(const Region& region, uint64_t address) {
  if (!vdso_tried_) {
    vdso_tried_ = true;
    uint64_t base = getauxval(AT_SYSINFO_EHDR);
    for (const Mapping& m : ParseMaps(ReadText("/proc/self/maps", kMaxMapsText)))
      if (base != 0 && m.start == base) {
        // SAFETY: the kernel keeps [base, end) mapped and readable as long as this process lives.
        MemorySource image(reinterpret_cast<const void*>(base), m.end - m.start);
        if (auto elf = ElfSymbols::Load(image, ElfLimits{})) vdso_ = std::make_unique<Module>(std::move(*elf));
      }
  }
  uint64_t offset = address - region.start + region.offset;
  if (vdso_) {
    const std::string& name = vdso_->NameAt(offset);
    if (!name.empty()) return name;
  }
  return WithOffset("vdso", offset);
}

std::string Symbolizer::JitName(Process& process, uint64_t address) {
  if (now_ms_ - process.perf_map_ms > kPerfMapRetryMs) UpdatePerfMap(process);
  std::string_view name = process.perf_map.Find(address);
  return name.empty() ? "" : CleanName(name);
}

void Symbolizer::UpdatePerfMap(Process& process) {
  process.perf_map_ms = now_ms_;
  if (process.ended_ms != 0) return;
  std::string path = "/tmp/perf-" + std::to_string(process.namespace_pid) + ".map";
  auto file = FileSource::OpenInRoot(Path(process, "root"), path, false);
  if (!file) return;
  // Everyone may write to /tmp: only the process's own user (and root) may name its code.
  if (file->identity().owner != process.uid && file->identity().owner != 0) {
    if (!process.perf_map_refused) stats_.perf_maps_refused++;
    process.perf_map_refused = true;
    return;
  }
  process.perf_map.Update(*file, file->identity());
  stats_.perf_map_malformed_lines += process.perf_map.malformed() - process.perf_map_malformed;
  stats_.perf_map_dropped_entries += process.perf_map.dropped() - process.perf_map_dropped;
  process.perf_map_malformed = process.perf_map.malformed();
  process.perf_map_dropped = process.perf_map.dropped();
  perf_map_bytes_ += process.perf_map.bytes() - process.perf_map_bytes;
  process.perf_map_bytes = process.perf_map.bytes();
  BoundPerfMaps(process);
}

void Symbolizer::ClearPerfMap(Process& process) {
  perf_map_bytes_ -= process.perf_map_bytes;
  process.perf_map = PerfMap();
  process.perf_map_bytes = 0;
  process.perf_map_malformed = 0;
  process.perf_map_dropped = 0;
  process.perf_map_ms = kNever;
}

// Empties the maps of the processes that were not asked about for longest.
void Symbolizer::BoundPerfMaps(const Process& keep) {
  for (auto it = processes_.rbegin(); it != processes_.rend() && perf_map_bytes_ > options_.max_perf_map_bytes; ++it) {
    if (&*it == &keep || it->perf_map_bytes == 0) continue;
    ClearPerfMap(*it);
  }
}

void Symbolizer::BoundProcesses() {
  auto over = [this](const Process& p) {
    return processes_.size() > options_.max_processes || (p.ended_ms != 0 && now_ms_ - p.ended_ms > kKeepEndedMs);
  };
  while (processes_.size() > 1 && over(processes_.back())) Drop(std::prev(processes_.end()));
}

void Symbolizer::Drop(std::list<Process>::iterator process) {
  perf_map_bytes_ -= process->perf_map_bytes;
  by_pid_.erase(process->pid);
  processes_.erase(process);
}

SymbolizerStats Symbolizer::stats() const {
  SymbolizerStats s = stats_;
  s.files = modules_.files();
  s.file_bytes = modules_.bytes();
  s.file_loads = modules_.loads();
  s.file_evictions = modules_.evictions();
  s.processes = processes_.size();
  s.perf_map_bytes = perf_map_bytes_;
  for (const Process& p : processes_) s.perf_maps += p.perf_map_bytes > 0 ? 1 : 0;
  s.kernel_symbols = kallsyms_.size();
  s.kernel_bytes = kallsyms_.bytes();
  return s;
}

}  // namespace kindling
