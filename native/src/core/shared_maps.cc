// SPDX-License-Identifier: Apache-2.0
#include "shared_maps.h"

#include <cerrno>
#include <cstring>
#include <set>

#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf_iterator.h"
#include "bpf_log.h"
#include "config.h"
#include "events.h"
#include "selection.skel.h"
#include "topic.h"

#include "../util/signal_block.h"

namespace kindling {
namespace {

uint32_t ReadOwnTgid(const bpf_program* program) {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) == 0 && options.retval != 0) return options.retval;
  return static_cast<uint32_t>(getpid());
}

// Makes the map hold exactly `wanted`.
template <typename Key>
int Replace(const bpf_map* map, const std::vector<std::pair<Key, uint32_t>>& wanted) {
  const int fd = bpf_map__fd(map);
  std::vector<Key> stale;
  Key key;
  for (const Key* previous = nullptr; bpf_map_get_next_key(fd, previous, &key) == 0; previous = &stale.back()) {
    stale.push_back(key);
  }
  for (const auto& [rule, action] : wanted) {
    if (bpf_map_update_elem(fd, &rule, &action, BPF_ANY) != 0) return -errno;
  }
  for (const Key& old : stale) {
    bool kept = false;
    for (const auto& rule : wanted) kept = kept || std::memcmp(&rule.first, &old, sizeof(Key)) == 0;
    if (!kept) bpf_map_delete_elem(fd, &old);
  }
  return 0;
}

// Exclusions last, so that they win when a key is in both lists.
template <typename Key, typename Value, typename Convert>
std::vector<std::pair<Key, uint32_t>> Combine(const std::vector<Value>& include, const std::vector<Value>& exclude,
                                              Convert convert) {
  std::vector<std::pair<Key, uint32_t>> rules;
  for (const Value& value : include) rules.emplace_back(convert(value), SELECT_INCLUDE);
  for (const Value& value : exclude) rules.emplace_back(convert(value), SELECT_EXCLUDE);
  return rules;
}

selection_comm ToCommKey(const std::string& comm) {
  selection_comm key{};
  std::strncpy(key.comm, comm.c_str(), sizeof(key.comm) - 1);
  return key;
}

}  // namespace

void SharedMaps::Deleter::operator()(selection_bpf* skeleton) const { selection_bpf__destroy(skeleton); }

Result<SharedMaps> SharedMaps::Load(size_t ring_bytes) {
  const SignalBlock no_signals;
  BpfLog log;
  std::unique_ptr<selection_bpf, Deleter> skeleton(selection_bpf__open());
  if (!skeleton) return DescribeBpfError(-errno, "opening the shared maps", log.last(), "");
  bpf_map__set_max_entries(skeleton->maps.events, static_cast<uint32_t>(ring_bytes));
  bpf_program__set_autoattach(skeleton->progs.own_tgid, false);
  const int result = selection_bpf__load(skeleton.get());
  if (result != 0) return DescribeBpfError(result, "creating the shared maps", log.last(), "");
  return SharedMaps(std::move(skeleton), ring_bytes);
}

SharedMaps::SharedMaps(std::unique_ptr<selection_bpf, Deleter> skeleton, size_t ring_bytes)
    : skeleton_(std::move(skeleton)), ring_bytes_(ring_bytes), self_tgid_(ReadOwnTgid(skeleton_->progs.own_tgid)) {}

SharedMaps::SharedMaps(SharedMaps&&) noexcept = default;

SharedMaps::~SharedMaps() = default;

int SharedMaps::ShareWith(bpf_object* object) const {
  const bpf_map* shared;
  bpf_object__for_each_map(shared, skeleton_->obj) {
    if (bpf_map__is_internal(shared)) continue;
    bpf_map* own = bpf_object__find_map_by_name(object, bpf_map__name(shared));
    if (own == nullptr) continue;
    const int result = bpf_map__reuse_fd(own, bpf_map__fd(shared));
    if (result != 0) return result;
  }
  return 0;
}

int SharedMaps::Attach() {
  const int result = selection_bpf__attach(skeleton_.get());
  if (result != 0) return result;
  return RunIterator(bpf_link__fd(skeleton_->links.make_states));
}

void SharedMaps::Detach() { selection_bpf__detach(skeleton_.get()); }

Result<bool> SharedMaps::SetRules(const SelectionRules& rules) {
  const auto same = [](auto value) { return value; };
  int result = Replace(skeleton_->maps.rule_by_tgid,
                       Combine<uint32_t>(rules.include_tgids, rules.exclude_tgids, same));
  if (result == 0) {
    result = Replace(skeleton_->maps.rule_by_comm,
                     Combine<selection_comm>(rules.include_comms, rules.exclude_comms, ToCommKey));
  }
  if (result == 0) {
    result = Replace(skeleton_->maps.rule_by_cgroup,
                     Combine<uint64_t>(rules.include_cgroups, rules.exclude_cgroups, same));
  }
  if (result != 0) return Error{-result, "writing the selection rules failed", "", ""};

  const int fd = bpf_map__fd(skeleton_->maps.selection);
  const uint32_t zero = 0;
  selection_control control{};
  bpf_map_lookup_elem(fd, &zero, &control);
  // A step of its own: on_task_rename adds ones meanwhile, and no generation may come twice.
  control.generation = (control.generation | 0xffff) + 1;
  if (control.generation == 0) control.generation = 1;
  control.select_by_default = rules.select_by_default ? 1 : 0;
  control.has_comm_rules = rules.include_comms.empty() && rules.exclude_comms.empty() ? 0 : 1;
  control.has_cgroup_rules = rules.include_cgroups.empty() && rules.exclude_cgroups.empty() ? 0 : 1;
  if (bpf_map_update_elem(fd, &zero, &control, BPF_ANY) != 0) {
    return Error{errno, "writing the selection rules failed", "", ""};
  }
  return true;
}

int SharedMaps::SetShed(uint32_t mask) {
  const uint32_t zero = 0;
  return bpf_map_update_elem(bpf_map__fd(skeleton_->maps.shed), &zero, &mask, BPF_ANY) == 0 ? 0 : -errno;
}

void SharedMaps::ReadCosts(std::vector<ProgramCost>* out) const { ReadObjectCosts(skeleton_->obj, "selection", out); }

void SharedMaps::ReadStats(std::span<double> out) const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return;
  std::vector<uint64_t> values(static_cast<size_t>(cpus));
  for (uint32_t key = 0; key < out.size(); key++) {
    out[key] = 0;
    if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.stats), &key, values.data()) != 0) continue;
    uint64_t sum = 0;
    for (const uint64_t value : values) sum += value;
    out[key] = static_cast<double>(sum);
  }
}

int SharedMaps::events_fd() const { return bpf_map__fd(skeleton_->maps.events); }

}  // namespace kindling
