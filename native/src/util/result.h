// SPDX-License-Identifier: Apache-2.0
// A value or the reason why there is none. The core never throws; the binding turns errors into JavaScript ones.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace kindling {

struct Error {
  int code = 0;             // positive errno; 0 when no system call failed
  std::string message;      // the step that failed, and what the kernel or libbpf said
  std::string hint;         // what to do about it; may be empty
  std::string verifier_log; // end of the BPF verifier's log; may be empty
};

template <typename T>
class Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  T& value() { return std::get<0>(state_); }
  Error& error() { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace kindling
