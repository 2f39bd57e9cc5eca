// SPDX-License-Identifier: Apache-2.0
#include "module_cache.h"

#include "demangle.h"

namespace kindling {

namespace {

// Names kept in readable form for each file; about 100 bytes each.
constexpr size_t kMaxReadable = 2048;

// The same program is often many files (one in each container image), which a build id tells. Anyone can write a file
// with someone else's build id and other names, therefore the owner is part of the key.
std::string KeyOf(const FileSource& file) {
  std::string build_id = ElfSymbols::BuildId(file);
  if (build_id.empty()) return file.identity().Key();
  return build_id + ":" + std::to_string(file.size()) + ":" + std::to_string(file.identity().owner);
}

// "/usr/lib/debug/.build-id/ab/cdef….debug", where distributions put the symbols that they strip.
std::string DebugPath(const std::string& build_id) {
  return "/usr/lib/debug/.build-id/" + build_id.substr(0, 2) + "/" + build_id.substr(2) + ".debug";
}

}  // namespace

const std::string Module::kNone;

const std::string& Module::NameAt(uint64_t file_offset) {
  std::string_view name = elf_.FindByOffset(file_offset);
  if (name.empty()) return kNone;
  auto known = readable_.find(name.data());
  if (known != readable_.end()) return known->second;
  if (readable_.size() >= kMaxReadable) readable_.clear();
  return readable_.emplace(name.data(), Demangle(name)).first->second;
}

std::shared_ptr<Module> ModuleCache::Get(const FileSource& file, const std::string& root) {
  std::string key = KeyOf(file);
  auto known = by_key_.find(key);
  if (known != by_key_.end()) {
    entries_.splice(entries_.begin(), entries_, known->second);
    return known->second->module;
  }

  loads_++;
  std::shared_ptr<Module> module;
  if (auto elf = ElfSymbols::Load(file, ElfLimits{})) {
    if (!elf->full() && elf->build_id().size() > 2) {
      auto debug_file = FileSource::OpenInRoot(root, DebugPath(elf->build_id()), true);
      auto debug = debug_file ? ElfSymbols::Load(*debug_file, ElfLimits{}) : std::nullopt;
      if (debug && debug->full() && debug->build_id() == elf->build_id()) elf->AdoptNames(std::move(*debug));
    }
    module = std::make_shared<Module>(std::move(*elf));
  }
  size_t bytes = key.size() * 2 + sizeof(Entry) + (module ? module->bytes() : 0);
  entries_.push_front({key, module, bytes});
  by_key_[key] = entries_.begin();
  if (module) by_module_[module.get()] = entries_.begin();
  bytes_ += bytes;
  Evict();
  return module;
}

void ModuleCache::Touch(const std::shared_ptr<Module>& module) {
  auto place = by_module_.find(module.get());
  if (place != by_module_.end()) entries_.splice(entries_.begin(), entries_, place->second);
}

void ModuleCache::Evict() {
  // The newest stays even when it is larger than the limit, otherwise it would be read again for each address; one
  // file is bounded by ElfLimits.
  while (entries_.size() > 1 && (entries_.size() > max_files_ || bytes_ > max_bytes_)) {
    const Entry& last = entries_.back();
    bytes_ -= last.bytes;
    by_key_.erase(last.key);
    if (last.module) by_module_.erase(last.module.get());
    entries_.pop_back();
    evictions_++;
  }
}

}  // namespace kindling
