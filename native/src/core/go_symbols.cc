// SPDX-License-Identifier: Apache-2.0
#include "go_symbols.h"

#include <cstring>
#include <string_view>

namespace kindling {

namespace {

constexpr uint32_t kMagic118 = 0xfffffff0;
constexpr uint32_t kMagic120 = 0xfffffff1;
constexpr size_t kMaxNameLength = 4096;
// pcHeader: magic, two zeros, quantum, pointer size, and eight words.
constexpr size_t kHeaderBytes = 72;
constexpr size_t kFunctabEntryBytes = 8;
// _func begins with entryOff and nameOff.
constexpr size_t kFuncHeadBytes = 8;

template <typename T>
T At(const std::vector<uint8_t>& table, uint64_t offset) {
  T value;
  memcpy(&value, table.data() + offset, sizeof value);
  return value;
}

struct Table {
  uint64_t count;
  uint64_t text_start;
  uint64_t names;
  uint64_t names_end;
  uint64_t functions;
};

bool ReadTable(const std::vector<uint8_t>& bytes, uint32_t max_functions, Table* table) {
  if (bytes.size() < kHeaderBytes) return false;
  uint32_t magic = At<uint32_t>(bytes, 0);
  if ((magic != kMagic118 && magic != kMagic120) || bytes[7] != 8) return false;
  *table = {At<uint64_t>(bytes, 8), At<uint64_t>(bytes, 24), At<uint64_t>(bytes, 32), At<uint64_t>(bytes, 40),
            At<uint64_t>(bytes, 64)};
  uint64_t size = bytes.size();
  // One entry more than there are functions: the end of the last one, of which only the first half is there.
  return table->count > 0 && table->count <= max_functions && table->names <= table->names_end &&
         table->names_end <= size && table->functions <= size && size - table->functions >= 4 &&
         table->count <= (size - table->functions - 4) / kFunctabEntryBytes;
}

struct Function {
  uint32_t start;  // after the code's first byte
  uint32_t end;
  std::string_view name;  // empty: what the table says makes no sense
};

Function ReadFunction(const std::vector<uint8_t>& bytes, const Table& table, uint64_t index) {
  uint64_t entry = table.functions + index * kFunctabEntryBytes;
  Function function{At<uint32_t>(bytes, entry), At<uint32_t>(bytes, entry + kFunctabEntryBytes), {}};
  uint64_t details = table.functions + At<uint32_t>(bytes, entry + 4);
  if (function.end < function.start || details > bytes.size() || bytes.size() - details < kFuncHeadBytes) return function;
  int64_t offset = At<int32_t>(bytes, details + 4);
  if (offset < 0 || static_cast<uint64_t>(offset) >= table.names_end - table.names) return function;
  const char* text = reinterpret_cast<const char*>(bytes.data()) + table.names + offset;
  uint64_t room = table.names_end - table.names - offset;
  uint64_t limit = room < kMaxNameLength ? room : kMaxNameLength;
  function.name = std::string_view(text, strnlen(text, limit));
  return function;
}

// Whether a Go function for starting programs (`_rt0_amd64_linux`) lies where the program starts.
bool BeginsInGo(const std::vector<uint8_t>& bytes, const Table& table, const GoText& text) {
  for (uint64_t i = 0; i < table.count; i++) {
    Function function = ReadFunction(bytes, table, i);
    if (text.start + function.start == text.entry) return function.name.starts_with("_rt0_");
  }
  return false;
}

}  // namespace

bool AddGoFunctions(const std::vector<uint8_t>& bytes, const GoText& text, uint32_t max_functions,
                    SymbolTableBuilder& builder) {
  Table table;
  if (!ReadTable(bytes, max_functions, &table)) return false;
  if (table.text_start == 0 && (text.start == 0 || !BeginsInGo(bytes, table, text))) return false;
  uint64_t start = table.text_start != 0 ? table.text_start : text.start;
  for (uint64_t i = 0; i < table.count; i++) {
    Function function = ReadFunction(bytes, table, i);
    if (!function.name.empty()) builder.Add(start + function.start, function.end - function.start, function.name, 0);
  }
  return true;
}

}  // namespace kindling
