// SPDX-License-Identifier: Apache-2.0
//
// Sources: Itanium C++ ABI, section 5.1 "External Names (a.k.a. Mangling)"; rust-lang/rustc-demangle (legacy.rs) for
// the escapes of Rust's legacy mangling.
#include "demangle.h"

#include <cxxabi.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <memory>

namespace kindling {

namespace {

constexpr size_t kMaxMangled = 2048;
constexpr double kMaxExpansion = 4 << 20;

// Whether __cxa_demangle's result is certain to stay small.
//
// Substitutions (S_, S1_) and template parameters (T_) stand for earlier parts of the name, so that 20 bytes more can
// double the result: a name of 1 KiB, in a file that any user may write, could ask for more memory than there is.
// With r references the result grows at most by the factor 3^(r/3) (composites of three are the best an attacker can
// do), and pack expansions (Dp, sp) multiply by the length of a pack each. Identifiers are counted as if they were
// codes, which errs on the safe side.
bool ExpansionIsBounded(std::string_view name) {
  if (name.size() > kMaxMangled) return false;
  int references = 0;
  int packs = 0;
  for (size_t i = 0; i + 1 < name.size(); i++) {
    char c = name[i];
    char next = name[i + 1];
    bool sequence = next == '_' || (next >= '0' && next <= '9') || (next >= 'A' && next <= 'Z');
    if ((c == 'S' || c == 'T') && sequence) references++;
    if ((c == 'D' || c == 's') && next == 'p') packs++;
  }
  double length = static_cast<double>(name.size());
  return std::pow(3.0, references / 3.0) * std::pow(length, std::max(0, packs - 1)) * length <= kMaxExpansion;
}

// The identifiers at the front of a nested name, "_ZN4node11Environment9RunTimersE..." -> "node::Environment::RunTimers".
// For names that are not given to the real demangler. Empty when the name begins with anything else.
std::string LeadingIdentifiers(std::string_view name) {
  std::string out;
  name.remove_prefix(2);
  if (!name.empty() && name[0] == 'N') name.remove_prefix(1);
  while (!name.empty() && (name[0] == 'K' || name[0] == 'V' || name[0] == 'L')) name.remove_prefix(1);
  if (name.starts_with("St")) {
    out = "std";
    name.remove_prefix(2);
  }
  while (!name.empty() && name[0] >= '1' && name[0] <= '9') {
    size_t length = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), length);
    name.remove_prefix(static_cast<size_t>(end - name.data()));
    if (error != std::errc() || length > name.size()) return "";
    if (!out.empty()) out += "::";
    out += name.substr(0, length);
    name.remove_prefix(length);
  }
  return out;
}

std::string_view CutCompilerSuffix(std::string_view name) {
  for (std::string_view suffix : {".cold", ".part.", ".constprop.", ".isra.", ".llvm.", ".lto_priv.", ".localalias"}) {
    size_t at = name.find(suffix, 1);
    if (at != std::string_view::npos) name = name.substr(0, at);
  }
  return name;
}

// Cuts the parameter list: from the '(' that matches the last ')' on. Names without one stay.
std::string_view CutParameters(std::string_view name) {
  size_t close = name.rfind(')');
  if (close == std::string_view::npos) return name;
  // What may follow a parameter list: cv- and ref-qualifiers. Anything else means that the ')' is inside the name, as
  // in "(anonymous namespace)::f" or "f()::{lambda()#1}".
  for (char c : name.substr(close + 1))
    if (!(c == ' ' || c == '&' || (c >= 'a' && c <= 'z'))) return name;
  int depth = 0;
  for (size_t i = close + 1; i-- > 0;) {
    if (name[i] == ')') depth++;
    if (name[i] == '(' && --depth == 0) {
      bool call_operator = i >= 8 && name.substr(i - 8, 8) == "operator" && close == i + 1;
      return i == 0 || call_operator ? name : name.substr(0, i);
    }
  }
  return name;
}

// Template functions carry their return type: "void f<int>". Cuts up to the last space outside of brackets.
std::string_view CutReturnType(std::string_view name) {
  if (name.find("operator") != std::string_view::npos) return name;
  int depth = 0;
  size_t start = 0;
  for (size_t i = 0; i < name.size(); i++) {
    char c = name[i];
    if (c == '<' || c == '(' || c == '{' || c == '[') depth++;
    if ((c == '>' && (i == 0 || name[i - 1] != '-')) || c == ')' || c == '}' || c == ']') depth--;
    if (c == ' ' && depth == 0) start = i + 1;
  }
  return start < name.size() ? name.substr(start) : name;
}

bool IsRustHash(std::string_view part) {
  if (part.size() != 17 || part[0] != 'h') return false;
  for (char c : part.substr(1))
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  return true;
}

// Rust escapes what an identifier cannot hold; an unknown escape is kept as it is.
std::string UnescapeRust(std::string_view name) {
  struct Escape {
    std::string_view from, to;
  };
  static constexpr Escape kEscapes[] = {{"$SP$", "@"}, {"$BP$", "*"},    {"$RF$", "&"},  {"$LT$", "<"},  {"$GT$", ">"},
                                        {"$LP$", "("}, {"$RP$", ")"},    {"$C$", ","},   {"$u20$", " "}, {"$u27$", "'"},
                                        {"$u5b$", "["}, {"$u5d$", "]"},  {"$u7b$", "{"}, {"$u7d$", "}"}, {"$u7e$", "~"},
                                        {"$u2b$", "+"}, {"$u22$", "\""}, {"..", "::"}};
  std::string out;
  for (size_t i = 0; i < name.size();) {
    // A part that would begin with an escape has a '_' in front: "_$LT$".
    if (name[i] == '_' && i + 1 < name.size() && name[i + 1] == '$' && (i == 0 || name[i - 1] == ':')) {
      i++;
      continue;
    }
    bool found = false;
    for (const Escape& e : kEscapes)
      if (name.substr(i, e.from.size()) == e.from) {
        out += e.to;
        i += e.from.size();
        found = true;
        break;
      }
    if (!found) out.push_back(name[i++]);
  }
  return out;
}

}  // namespace

std::string CleanName(std::string_view name) {
  std::string out(name.substr(0, kMaxReadableName));
  for (char& c : out) {
    if (c == ';') c = ':';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

std::string Demangle(std::string_view mangled) {
  std::string_view name = CutCompilerSuffix(mangled);
  if (!name.starts_with("_Z")) return CleanName(name);
  if (!ExpansionIsBounded(name)) {
    std::string identifiers = LeadingIdentifiers(name);
    return CleanName(identifiers.empty() ? name : std::string_view(identifiers));
  }
  int status = 0;
  std::unique_ptr<char, decltype(&free)> text(
      abi::__cxa_demangle(std::string(name).c_str(), nullptr, nullptr, &status), &free);
  if (!text || status != 0) return CleanName(name);
  std::string_view readable = text.get();
  size_t last = readable.rfind("::");
  if (last != std::string_view::npos && IsRustHash(readable.substr(last + 2)))
    return CleanName(UnescapeRust(readable.substr(0, last)));
  return CleanName(CutReturnType(CutParameters(readable)));
}

}  // namespace kindling
