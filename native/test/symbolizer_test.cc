// SPDX-License-Identifier: Apache-2.0
//
// Tests of the symbolizer's core without Node. Prints one line for each failure; exit code 0 when there is none.
//   symbolizer_test                      all tests
//   symbolizer_test PID ADDRESS...       names of a process's addresses (hex), for trying things out
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>

#include "../src/core/demangle.h"
#include "../src/core/go_symbols.h"
#include "../src/core/symbolizer.h"

using namespace kindling;

namespace {

int failures = 0;

void Equal(std::string_view what, std::string_view got, std::string_view want) {
  if (got == want) return;
  failures++;
  printf("FAIL %.*s: got \"%.*s\", want \"%.*s\"\n", static_cast<int>(what.size()), what.data(),
         static_cast<int>(got.size()), got.data(), static_cast<int>(want.size()), want.data());
}

void True(std::string_view what, bool value) { Equal(what, value ? "true" : "false", "true"); }

std::string Temporary(const char* content) {
  char path[] = "/tmp/kindling-symbolizer-test-XXXXXX";
  int fd = mkstemp(path);
  True("temporary file", fd >= 0 && write(fd, content, strlen(content)) == static_cast<ssize_t>(strlen(content)));
  close(fd);
  return path;
}

void Append(const std::string& path, const char* content) { std::ofstream(path, std::ios::app) << content; }

void TestDemangle() {
  Equal("plain", Demangle("malloc"), "malloc");
  Equal("method", Demangle("_ZN4node11Environment9RunTimersEP10uv_timer_s"), "node::Environment::RunTimers");
  Equal("const method", Demangle("_ZNK3foo3barEi"), "foo::bar");
  Equal("template function", Demangle("_Z3addIiET_S0_S0_"), "add<int>");
  Equal("anonymous namespace", Demangle("_ZN12_GLOBAL__N_13runEv"), "(anonymous namespace)::run");
  Equal("lambda", Demangle("_ZZ4mainENKUlvE_clEv"), "main::{lambda()#1}::operator()");
  Equal("lambda object", Demangle("_ZZ4mainENUlvE_4_FUNEv"), "main::{lambda()#1}::_FUN");
  Equal("clone", Demangle("_ZN3foo3barEv.cold"), "foo::bar");
  Equal("C clone", Demangle("do_work.constprop.0"), "do_work");
  Equal("conversion", Demangle("_ZN3foocvbEv"), "foo::operator bool");
  Equal("rust legacy", Demangle("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"), "core::fmt::Formatter::pad");
  Equal("rust escapes",
        Demangle("_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE"),
        "<Test + 'static as foo::Bar<Test>>::bar");
  Equal("rust v0", Demangle("_RNvC6_123foo3bar"), "_RNvC6_123foo3bar");
  Equal("not a mangled name", Demangle("_ZZZZ"), "_ZZZZ");
  Equal("folding separator", Demangle("Lcom/foo/Bar;::run\n"), "Lcom/foo/Bar:::run?");

  // 2^60 bytes when demangled by the book.
  std::string bomb = "_ZN5inner3runE4pairIiiE";
  for (int i = 0; i < 60; i++) bomb += "4pairIS" + (i == 0 ? std::string("0") : std::string("1")) + "_S0_E";
  auto start = std::chrono::steady_clock::now();
  Equal("expansion", Demangle(bomb), "inner::run");
  True("expansion is quick", std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
}

void TestMaps() {
  auto maps = ParseMaps(
      "00400000-0040b000 r-xp 00001000 fe:01 4711    /usr/bin/a file\n"
      "0060a000-0060b000 r--p 0000a000 fe:01 4711    /usr/bin/a file\n"
      "garbage\n"
      "7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
      "7f0000002000-7f0000001000 r-xp 00000000 00:00 0 /upside/down\n"
      "7f0000003000-7f0000004000 r-xp 00000000 00:01 99 /memfd:jit (deleted)\n"
      "7fff00000000-7fff00002000 r-xp 00000000 00:00 0  [vdso]\n"
      "7fff10000000-7fff10002000 r-xp 00000000 00:00 0  [cut");
  True("four executable mappings", maps.size() == 4);
  if (maps.size() != 4) return;
  Equal("path with a space", maps[0].path, "/usr/bin/a file");
  True("offset and inode", maps[0].offset == 0x1000 && maps[0].inode == 4711 && maps[0].IsFile());
  True("anonymous", maps[1].path.empty() && !maps[1].IsFile());
  Equal("deleted", maps[2].path, "/memfd:jit");
  True("deleted flag", maps[2].deleted);
  Equal("vdso", maps[3].path, "[vdso]");
}

bool Update(PerfMap& map, const std::string& path) {
  auto file = FileSource::Open(path);
  return file && map.Update(*file, file->identity());
}

void TestPerfMap() {
  std::string path = Temporary("1000 100 a\n1100 80 b c\nbad\n2000 0 empty\n3000 10 unfinis");
  PerfMap map;
  Update(map, path);
  Equal("start", map.Find(0x1000), "a");
  Equal("last byte", map.Find(0x10ff), "a");
  Equal("name with a space", map.Find(0x1100), "b c");
  Equal("behind the end", map.Find(0x1180), "");
  Equal("unfinished line", map.Find(0x3000), "");
  True("malformed lines", map.malformed() == 2);

  Append(path, "hed\n0x1080 100 newer\n");
  True("grown", Update(map, path));
  Equal("finished line", map.Find(0x3000), "unfinished");
  Equal("newer code", map.Find(0x1100), "newer");
  Equal("older code below it is gone", map.Find(0x1000), "");
  True("nothing new", !Update(map, path));

  { std::ofstream(path, std::ios::trunc) << "5000 100 rewritten, and longer than what stood here before, by far ......\n6000 10 x\n"; }
  Update(map, path);
  Equal("rewritten", map.Find(0x5000).substr(0, 9), "rewritten");
  Equal("rewritten, old names", map.Find(0x3000), "");

  std::string huge(20000, 'x');
  Append(path, ("7000 10 " + huge + "\n8000 10 after\n").c_str());
  Update(map, path);
  Equal("after a line that is too long", map.Find(0x8000), "after");

  PerfMap::Limits limits;
  limits.entries = 3;
  PerfMap bounded(limits);
  std::string many = Temporary("1000 10 a\n1000 10 b\n1000 10 c\n2000 10 d\n3000 10 e\n4000 10 f\n");
  Update(bounded, many);
  Equal("replaced entries do not count", bounded.Find(0x3000), "e");
  True("entries are bounded", bounded.size() == 3 && bounded.dropped() == 1);
  unlink(path.c_str());
  unlink(many.c_str());
}

// Any change to the bytes of an ELF file may change the answers, and nothing else.
void TestHostileElf() {
  auto self = FileSource::Open("/proc/self/exe");
  if (!self) return True("open self", false);
  std::string bytes(self->size(), '\0');
  True("read self", self->Read(0, bytes.data(), bytes.size()));
  MemorySource whole(bytes.data(), bytes.size());
  auto elf = ElfSymbols::Load(whole, ElfLimits{});
  True("self has symbols", elf && elf->symbols() > 10);
  std::mt19937 random(1);
  uint64_t section_headers;
  memcpy(&section_headers, bytes.data() + 40, 8);
  for (int round = 0; round < 1000; round++) {
    std::string changed = bytes;
    for (int i = 0; i < 4; i++) {
      size_t area = random() % 3;
      size_t at = area == 0 ? random() % 64 : area == 1 ? 64 + random() % 800 : section_headers + random() % (changed.size() - section_headers);
      changed[at % changed.size()] = static_cast<char>(random() % 4 == 0 ? 0xff : random());
    }
    if (round % 5 == 0) changed.resize(random() % changed.size());
    MemorySource source(changed.data(), changed.size());
    auto loaded = ElfSymbols::Load(source, ElfLimits{});
    if (!loaded) continue;
    for (uint64_t offset = 0; offset < changed.size(); offset += 997) (void)loaded->FindByOffset(offset);
  }
}

// A .gopclntab of two functions at `text_start` + 0x40 and + 0x80, the second one 0x20 long.
std::vector<uint8_t> GoTable(uint64_t text_start) {
  const std::string names = std::string("\0_rt0_amd64_linux\0main.(*Server).handle\0", 41);
  std::vector<uint8_t> table(72 + 48);
  auto put = [&](size_t at, auto value) { memcpy(table.data() + at, &value, sizeof value); };
  put(0, uint32_t{0xfffffff1});
  table[6] = 1;
  table[7] = 8;
  put(8, uint64_t{2});
  put(24, text_start);
  put(32, uint64_t{table.size()});
  put(40, uint64_t{table.size() + names.size()});
  put(64, uint64_t{72});
  // functab: start and place of _func, twice, and the end; then two _func of entryOff and nameOff.
  const uint32_t words[] = {0x40, 24, 0x80, 32, 0xa0, 0, 0x40, 1, 0x80, 18};
  memcpy(table.data() + 72, words, sizeof words);
  table.insert(table.end(), names.begin(), names.end());
  return table;
}

SymbolTable GoNames(const std::vector<uint8_t>& table, GoText text, bool expected) {
  SymbolTableBuilder builder;
  True("go table taken", AddGoFunctions(table, text, 100, builder) == expected);
  return builder.Build();
}

void TestGo() {
  SymbolTable names = GoNames(GoTable(0x401000), {0x999000, 0}, true);
  Equal("go function", names.Find(0x401090), "main.(*Server).handle");
  Equal("go start", names.Find(0x401040), "_rt0_amd64_linux");
  Equal("behind the last go function", names.Find(0x4010a0), "");
  // Without a place in the table that of .text counts, when the program begins in Go's own function there.
  Equal("go function, .text", GoNames(GoTable(0), {0x500000, 0x500040}, true).Find(0x500085), "main.(*Server).handle");
  GoNames(GoTable(0), {0x500000, 0x500080}, false);
  GoNames(GoTable(0), {0x500000, 0x500000}, false);
  GoNames(GoTable(0), {0, 0x40}, false);

  auto old = GoTable(0x401000);
  old[0] = 0xfb;  // Go 1.2 to 1.15
  GoNames(old, {0, 0}, false);
  std::mt19937 random(11);
  for (int round = 0; round < 20000; round++) {
    auto changed = GoTable(0x401000);
    for (int i = 0; i < 4; i++) changed[random() % changed.size()] = static_cast<uint8_t>(random());
    changed.resize(random() % 8 == 0 ? random() % changed.size() : changed.size());
    SymbolTableBuilder builder;
    AddGoFunctions(changed, {0x500000, 0x500040}, 100, builder);
    builder.Build().Find(0x401090);
  }
}

void TestSelf() {
  Symbolizer symbolizer;
  uint32_t pid = static_cast<uint32_t>(getpid());
  void* libc_function = dlsym(RTLD_DEFAULT, "qsort");
  uint64_t addresses[] = {reinterpret_cast<uint64_t>(&ParseMaps), reinterpret_cast<uint64_t>(libc_function) + 1, 8};
  auto names = symbolizer.User(pid, addresses);
  Equal("own function", names[0], "kindling::ParseMaps");
  Equal("libc function by return address", names[1], "qsort");
  Equal("unmapped", names[2], "[unknown]");
  auto gone = symbolizer.User(0x7ffffffe, addresses);
  Equal("no such process", gone[0], "[unknown]");
  auto stats = symbolizer.stats();
  True("two files", stats.files == 2 && stats.processes == 2);

  for (const auto& m : ParseMaps(ReadText("/proc/self/maps", kMaxMapsText)))
    if (m.path == "[vdso]") {
      uint64_t vdso[] = {m.start + 0x10};
      True("vdso", symbolizer.User(pid, vdso)[0].find("vdso") != std::string::npos);
    }
  for (size_t i = 0; i < 1000; i++) symbolizer.User(static_cast<uint32_t>(0x7f000000 + i), addresses);
  SymbolizerOptions small;
  small.max_processes = 10;
  small.max_files = 1;
  Symbolizer bounded(small);
  for (uint32_t i = 0; i < 100; i++) bounded.User(i == 50 ? pid : 0x7f000000 + i, addresses);
  True("bounded", bounded.stats().processes == 10 && bounded.stats().files == 1 && bounded.stats().file_evictions == 1);
}

void TestKernel() {
  Symbolizer symbolizer;
  std::ifstream kallsyms("/proc/kallsyms");
  std::string address, type, name;
  while (kallsyms >> address >> type >> name && name != "tcp_sendmsg") {
  }
  uint64_t value = strtoull(address.c_str(), nullptr, 16);
  uint64_t addresses[] = {value + 4, 1};
  auto names = symbolizer.Kernel(addresses);
  Equal("kernel function", names[0], value == 0 ? "[kernel]" : "tcp_sendmsg");
  Equal("not in the kernel", names[1], "[kernel]");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2) {
    std::vector<uint64_t> addresses;
    for (int i = 2; i < argc; i++) addresses.push_back(strtoull(argv[i], nullptr, 16));
    Symbolizer symbolizer;
    for (const auto& name : symbolizer.User(static_cast<uint32_t>(atoi(argv[1])), addresses)) puts(name.c_str());
    return 0;
  }
  TestDemangle();
  TestMaps();
  TestPerfMap();
  TestHostileElf();
  TestGo();
  TestSelf();
  TestKernel();
  if (failures == 0) puts("symbolizer: all tests passed");
  return failures == 0 ? 0 : 1;
}
