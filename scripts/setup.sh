#!/usr/bin/env bash
# Installs what the build needs from the distribution's packages, if it is missing, and says what it does.
# As root it installs; otherwise with sudo; otherwise it says what is missing and leaves build/.no-native, so that the
# TypeScript part can still be built and a recording replayed.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
rm -f build/.no-native

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

command -v node >/dev/null || die 'Node.js >= 20.19 is needed (https://nodejs.org/en/download or your distribution).'
node -e '
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) { console.error(`setup: Node.js >= 20.19 is needed, found ${process.version}.`); process.exit(1); }
'
command -v npm >/dev/null || die 'npm is needed (it comes with Node.js).'

have_header() { [ -e "/usr/include/$1" ]; }
have_bpftool() { scripts/find-bpftool.sh >/dev/null 2>&1; }

missing=()
command -v make >/dev/null || missing+=(make)
command -v g++ >/dev/null || missing+=(g++)
command -v clang >/dev/null || missing+=(clang)
command -v llvm-strip >/dev/null || ls /usr/lib/llvm-*/bin/llvm-strip >/dev/null 2>&1 || missing+=(llvm)
have_header libelf.h || missing+=(libelf-dev)
have_header zlib.h || missing+=(zlib1g-dev)
if ! have_bpftool; then
  # Debian has a package of that name; Ubuntu ships the program with the kernel tools.
  if command -v apt-cache >/dev/null && apt-cache policy bpftool 2>/dev/null | grep -q 'Candidate: [0-9]'; then
    missing+=(bpftool)
  elif grep -qi ubuntu /etc/os-release 2>/dev/null; then
    missing+=(linux-tools-generic)
  else
    missing+=(bpftool)
  fi
fi

[ ${#missing[@]} -eq 0 ] && exit 0

no_native() {
  printf 'setup: %s\n' "$1" \
    "setup: missing packages: ${missing[*]}" \
    'setup: the eBPF part is not built; the agent can only replay recordings. Install them and call make again.' >&2
  touch build/.no-native
  exit 0
}

command -v apt-get >/dev/null || no_native 'apt-get was not found.'
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || no_native 'Not root, and sudo was not found.'
  if ! sudo -n true 2>/dev/null && ! [ -t 0 ]; then no_native 'Not root, and sudo asks for a password.'; fi
  as_root=(sudo)
fi
printf 'setup: installing %s\n' "${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt_install() { "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >build/setup.log 2>&1; }
if ! apt_install; then
  "${as_root[@]}" apt-get update -qq >>build/setup.log 2>&1 || true
  apt_install || { tail -n 20 build/setup.log >&2; die "could not install ${missing[*]} (build/setup.log)."; }
fi
have_bpftool || die 'bpftool is still missing after the installation.'
