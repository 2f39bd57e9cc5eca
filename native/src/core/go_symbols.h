// SPDX-License-Identifier: Apache-2.0
//
// Function names of a Go program from .gopclntab, the table that the Go runtime itself needs: it is there in stripped
// programs too.
//
// Source: Go, src/internal/abi/symtab.go, src/runtime/symtab.go (pcHeader, functab, _func), src/debug/gosym/pclntab.go;
// layouts of Go 1.18 and of Go 1.20 and newer, for 64-bit machines of this one's byte order. Functions that the compiler
// put into others have no entry: their time is their caller's.
#pragma once

#include <cstdint>
#include <vector>

#include "symbol_table.h"

namespace kindling {

// Where the code is when the table does not say: since Go 1.26, and in position-independent programs, whose header is
// filled in when they are loaded.
struct GoText {
  uint64_t start;  // address of .text
  uint64_t entry;  // where the program begins, by its ELF header
};

// Adds the functions of `table`, the section's bytes. False, with nothing added, when the layout is another one, when it
// makes no sense, and when `text` has to be trusted and does not fit: the entry has to be one of Go's own then.
bool AddGoFunctions(const std::vector<uint8_t>& table, const GoText& text, uint32_t max_functions,
                    SymbolTableBuilder& builder);

}  // namespace kindling
