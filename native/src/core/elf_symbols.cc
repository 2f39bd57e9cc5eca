// SPDX-License-Identifier: Apache-2.0
#include "elf_symbols.h"

#include <elf.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "go_symbols.h"

namespace kindling {

namespace {

constexpr uint32_t kMaxProgramHeaders = 1024;
constexpr uint32_t kMaxSections = 65536;
constexpr uint64_t kMaxNoteBytes = 64 << 10;
constexpr uint64_t kMaxSectionNameBytes = 1 << 20;
constexpr size_t kMaxNameLength = 4096;
constexpr uint64_t kPageMask = 4095;
constexpr size_t kSymbolsPerRead = 4096;

std::optional<Elf64_Ehdr> ReadHeader(const ByteSource& source) {
  Elf64_Ehdr header;
  if (!source.Read(0, &header, sizeof header)) return std::nullopt;
  constexpr uint8_t kData = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != kData)
    return std::nullopt;
  return header;
}

// Reads `count` structures at `offset`; empty on any inconsistency.
template <typename T>
std::vector<T> ReadArray(const ByteSource& source, uint64_t offset, uint64_t count) {
  std::vector<T> items;
  if (count == 0 || offset > source.size() || count > (source.size() - offset) / sizeof(T)) return items;
  items.resize(count);
  if (!source.Read(offset, items.data(), count * sizeof(T))) items.clear();
  return items;
}

std::vector<Elf64_Phdr> ReadProgramHeaders(const ByteSource& source, const Elf64_Ehdr& header) {
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxProgramHeaders) return {};
  return ReadArray<Elf64_Phdr>(source, header.e_phoff, header.e_phnum);
}

std::vector<Elf64_Shdr> ReadSections(const ByteSource& source, const Elf64_Ehdr& header) {
  if (header.e_shoff == 0 || header.e_shentsize != sizeof(Elf64_Shdr)) return {};
  uint64_t count = header.e_shnum;
  if (count == 0) {  // more than SHN_LORESERVE sections: the count is in the first one
    auto first = ReadArray<Elf64_Shdr>(source, header.e_shoff, 1);
    if (first.empty()) return {};
    count = first[0].sh_size;
  }
  if (count > kMaxSections) return {};
  return ReadArray<Elf64_Shdr>(source, header.e_shoff, count);
}

std::string BuildIdIn(const ByteSource& source, uint64_t offset, uint64_t size) {
  if (size > kMaxNoteBytes) return "";
  auto notes = ReadArray<uint8_t>(source, offset, size);
  size_t at = 0;
  while (notes.size() - at >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    memcpy(&note, notes.data() + at, sizeof note);
    at += sizeof note;
    uint64_t name_bytes = (uint64_t{note.n_namesz} + 3) & ~uint64_t{3};
    uint64_t text_bytes = (uint64_t{note.n_descsz} + 3) & ~uint64_t{3};
    if (name_bytes > notes.size() - at || text_bytes > notes.size() - at - name_bytes) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(notes.data() + at, "GNU", 4) == 0 &&
        note.n_descsz >= 8 && note.n_descsz <= 64) {
      static constexpr char kHex[] = "0123456789abcdef";
      std::string id;
      for (uint32_t i = 0; i < note.n_descsz; i++) {
        uint8_t byte = notes[at + name_bytes + i];
        id.push_back(kHex[byte >> 4]);
        id.push_back(kHex[byte & 15]);
      }
      return id;
    }
    at += name_bytes + text_bytes;
  }
  return "";
}

std::string BuildIdOf(const ByteSource& source, const std::vector<Elf64_Phdr>& program,
                      const std::vector<Elf64_Shdr>& sections) {
  for (const auto& p : program) {
    if (p.p_type != PT_NOTE) continue;
    std::string id = BuildIdIn(source, p.p_offset, p.p_filesz);
    if (!id.empty()) return id;
  }
  for (const auto& s : sections) {
    if (s.sh_type != SHT_NOTE) continue;
    std::string id = BuildIdIn(source, s.sh_offset, s.sh_size);
    if (!id.empty()) return id;
  }
  return "";
}

// Smaller is the better name among the aliases of one address: `write` before `__write` before a local `__GI_write`.
uint32_t Rank(const Elf64_Sym& symbol, std::string_view name) {
  uint32_t underscores = 0;
  while (underscores < 3 && underscores < name.size() && name[underscores] == '_') underscores++;
  if (name.starts_with("_Z") || name.starts_with("_R")) underscores = 0;
  uint32_t type = ELF64_ST_TYPE(symbol.st_info);
  uint32_t binding = ELF64_ST_BIND(symbol.st_info);
  uint32_t rank = symbol.st_size == 0 ? 100 : 0;
  rank += type == STT_NOTYPE ? 50 : 0;
  rank += underscores * 8;
  rank += binding == STB_GLOBAL ? 0 : binding == STB_WEAK ? 1 : 4;
  return rank;
}

bool NamesCode(const Elf64_Sym& symbol, const std::vector<Elf64_Shdr>& sections) {
  if (symbol.st_shndx == SHN_UNDEF || symbol.st_value == 0) return false;
  uint32_t type = ELF64_ST_TYPE(symbol.st_info);
  if (type == STT_FUNC || type == STT_GNU_IFUNC) return true;
  // Functions written in assembly often have no type.
  return type == STT_NOTYPE && symbol.st_shndx < sections.size() &&
         (sections[symbol.st_shndx].sh_flags & SHF_EXECINSTR) != 0;
}

void AddSymbols(const ByteSource& source, const std::vector<Elf64_Shdr>& sections, const Elf64_Shdr& section,
                const ElfLimits& limits, SymbolTableBuilder& builder) {
  uint64_t count = section.sh_size / sizeof(Elf64_Sym);
  if (section.sh_entsize != sizeof(Elf64_Sym) || count > limits.symbols || section.sh_link >= sections.size()) return;
  const Elf64_Shdr& strings = sections[section.sh_link];
  if (strings.sh_type != SHT_STRTAB || strings.sh_size > limits.string_bytes) return;
  auto text = ReadArray<char>(source, strings.sh_offset, strings.sh_size);
  if (text.empty()) return;
  text.back() = '\0';  // every name ends inside the table, whatever the file says

  for (uint64_t done = 0; done < count; done += kSymbolsPerRead) {
    uint64_t part = std::min<uint64_t>(kSymbolsPerRead, count - done);
    if (section.sh_offset > source.size()) return;
    auto symbols = ReadArray<Elf64_Sym>(source, section.sh_offset + done * sizeof(Elf64_Sym), part);
    if (symbols.empty()) return;
    for (const auto& symbol : symbols) {
      if (!NamesCode(symbol, sections) || symbol.st_name >= text.size()) continue;
      const char* start = text.data() + symbol.st_name;
      std::string_view name(start, strnlen(start, std::min(kMaxNameLength, text.size() - symbol.st_name)));
      // `$x`, `$d`: mapping symbols of ARM; `.L`: labels of the assembler.
      if (name.empty() || name[0] == '$' || name.starts_with(".L")) continue;
      uint32_t rank = Rank(symbol, name);
      size_t version = name.find('@', 1);
      if (version != std::string_view::npos) name = name.substr(0, version);
      builder.Add(symbol.st_value, symbol.st_size, name, rank);
    }
  }
}

// The section called `name` or `other`; null when there is none, or none that is in the file.
const Elf64_Shdr* FirstNamed(const ByteSource& source, const Elf64_Ehdr& header,
                             const std::vector<Elf64_Shdr>& sections, std::string_view name, std::string_view other) {
  if (header.e_shstrndx >= sections.size()) return nullptr;
  const Elf64_Shdr& strings = sections[header.e_shstrndx];
  if (strings.sh_size > kMaxSectionNameBytes) return nullptr;
  auto text = ReadArray<char>(source, strings.sh_offset, strings.sh_size);
  if (text.empty()) return nullptr;
  text.back() = '\0';
  for (const auto& s : sections) {
    if (s.sh_name >= text.size() || s.sh_type == SHT_NOBITS) continue;
    std::string_view found(text.data() + s.sh_name);
    if (found == name || found == other) return &s;
  }
  return nullptr;
}

void AddGoSymbols(const ByteSource& source, const Elf64_Ehdr& header, const std::vector<Elf64_Shdr>& sections,
                  const ElfLimits& limits, SymbolTableBuilder& builder) {
  const Elf64_Shdr* section = FirstNamed(source, header, sections, ".gopclntab", ".data.rel.ro.gopclntab");
  if (section == nullptr || section->sh_size > limits.string_bytes) return;
  const Elf64_Shdr* text = FirstNamed(source, header, sections, ".text", ".text");
  auto table = ReadArray<uint8_t>(source, section->sh_offset, section->sh_size);
  AddGoFunctions(table, {text == nullptr ? 0 : text->sh_addr, header.e_entry}, limits.symbols, builder);
}

const Elf64_Shdr* FirstOfType(const std::vector<Elf64_Shdr>& sections, uint32_t type) {
  for (const auto& s : sections)
    if (s.sh_type == type) return &s;
  return nullptr;
}

}  // namespace

std::optional<ElfSymbols> ElfSymbols::Load(const ByteSource& source, const ElfLimits& limits) {
  auto header = ReadHeader(source);
  if (!header) return std::nullopt;
  auto program = ReadProgramHeaders(source, *header);
  auto sections = ReadSections(source, *header);

  ElfSymbols result;
  for (const auto& p : program)
    if (p.p_type == PT_LOAD && (p.p_flags & PF_X) != 0) result.segments_.push_back({p.p_offset, p.p_filesz, p.p_vaddr});
  result.build_id_ = BuildIdOf(source, program, sections);

  SymbolTableBuilder builder;
  const Elf64_Shdr* symtab = FirstOfType(sections, SHT_SYMTAB);
  if (symtab != nullptr) AddSymbols(source, sections, *symtab, limits, builder);
  result.full_ = builder.size() > 0;
  // .dynsym too: strip --keep-symbol and friends leave files whose .symtab lacks exported functions.
  const Elf64_Shdr* dynsym = FirstOfType(sections, SHT_DYNSYM);
  if (dynsym != nullptr) AddSymbols(source, sections, *dynsym, limits, builder);
  if (!result.full_) AddGoSymbols(source, *header, sections, limits, builder);
  result.table_ = builder.Build();
  return result;
}

std::string ElfSymbols::BuildId(const ByteSource& source) {
  auto header = ReadHeader(source);
  if (!header) return "";
  auto program = ReadProgramHeaders(source, *header);
  std::string id = BuildIdOf(source, program, {});
  return id.empty() ? BuildIdOf(source, {}, ReadSections(source, *header)) : id;
}

std::optional<uint64_t> ElfSymbols::AddressOf(uint64_t file_offset) const {
  // The kernel maps whole pages, therefore a segment begins at the page of its first byte. Neighbours may share a page
  // of the file; the segment that really holds the byte goes first.
  for (uint64_t slack : {uint64_t{0}, kPageMask})
    for (const Segment& s : segments_) {
      uint64_t start = slack == 0 ? s.offset : s.offset & ~kPageMask;
      if (file_offset >= start && file_offset - start < s.size + (s.offset - start))
        return file_offset - s.offset + s.address;
    }
  return std::nullopt;
}

std::string_view ElfSymbols::FindByOffset(uint64_t file_offset) const {
  auto address = AddressOf(file_offset);
  return address ? table_.Find(*address) : std::string_view();
}

}  // namespace kindling
