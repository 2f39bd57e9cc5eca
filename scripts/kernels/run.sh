#!/usr/bin/env bash
# Runs the kernel tests on other kernels: Debian's, booted in QEMU with this machine's root directory as their root,
# read-only, and nothing but loopback.
#
#   scripts/kernels/run.sh                      5.10, 6.1, 6.12 and the newest
#   scripts/kernels/run.sh bookworm sid         the kernels of these Debian releases
#   KERNEL_TESTS='test/kernel/cpu' …            only these test files
#
# Needs root and Debian or Ubuntu: packages qemu-system-x86, busybox-static and cpio are installed when missing; the
# kernels are fetched through an apt root of their own, so the machine's package sources stay as they are. Without
# /dev/kvm the processor is emulated, which takes minutes per kernel. Results: build/kernels/*.log.
set -euo pipefail
cd "$(dirname "$0")/../.."
ROOT=$PWD
WORK=${KERNELS_DIR:-$ROOT/build/kernels}
TIMEOUT=${KERNELS_TIMEOUT:-1500}
TESTS=${KERNEL_TESTS:-test/kernel}
RELEASES=("$@")
[ ${#RELEASES[@]} -gt 0 ] || RELEASES=(bullseye bookworm trixie sid)

die() { printf 'kernels: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || die 'root is needed, to install packages and to read the root directory for the guests.'
[ "$(uname -m)" = x86_64 ] || die 'only x86-64 so far.'
missing=()
command -v qemu-system-x86_64 >/dev/null || missing+=(qemu-system-x86)
[ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1 || missing+=(busybox-static)
command -v cpio >/dev/null || missing+=(cpio)
if [ ${#missing[@]} -gt 0 ]; then
  printf 'kernels: installing %s\n' "${missing[*]}"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Debian's archive, as the machine's own sources name it, and its keys.
MIRROR=${DEBIAN_MIRROR:-$(grep -rhoE '(https?|file)://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -v snapshot | head -n 1 | tr -d ' ')}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
[ -n "$MIRROR" ] || die "no Debian archive among the machine's package sources; name one with DEBIAN_MIRROR=."
[ -e "$KEYRING" ] || die 'the package debian-archive-keyring is needed.'

# The drivers of the shared directory, in the order in which they must be loaded.
MODULES=(virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci netfs fscache 9pnet 9pnet_virtio 9p)

# fetch RELEASE: unpacks the release's newest kernel below $WORK/RELEASE, once.
fetch() {
  local release=$1 root=$WORK/$1/apt image
  [ -e "$WORK/$release/vmlinuz" ] && return
  mkdir -p "$root"/{etc/apt/preferences.d,var/lib/dpkg,var/cache/apt/archives/partial,var/lib/apt/lists/partial} "$WORK/$release/package"
  : >"$root/var/lib/dpkg/status"
  echo "deb [signed-by=$KEYRING] $MIRROR $release main" >"$root/etc/apt/sources.list"
  local apt=(-qq -o "Dir=$root" -o "Dir::State::status=$root/var/lib/dpkg/status" -o APT::Architecture=amd64 -o APT::Sandbox::User=root)
  apt-get "${apt[@]}" update 2>/dev/null || die "$release: apt-get update failed."
  image=$(apt-cache "${apt[@]}" depends linux-image-amd64 | grep -oE 'linux-image-[0-9][^ ]*' | head -n 1)
  [ -n "$image" ] || die "$release: no kernel package was found."
  # From kernel 6.19 on the modules are a package of their own.
  local packages=("$image")
  local modules=${image/linux-image/linux-modules}
  if apt-cache "${apt[@]}" show "$modules" >/dev/null 2>&1; then packages+=("$modules"); fi
  local binary=${image/linux-image/linux-binary}
  if apt-cache "${apt[@]}" show "$binary" >/dev/null 2>&1; then packages+=("$binary"); fi
  (cd "$WORK/$release/package" && apt-get "${apt[@]}" download "${packages[@]}" >/dev/null 2>&1) || die "$release: could not fetch ${packages[*]}."
  for package in "$WORK/$release/package"/*.deb; do dpkg-deb -x "$package" "$WORK/$release/package"; done
  cp "$(find "$WORK/$release/package" -name 'vmlinuz*' -type f | head -n 1)" "$WORK/$release/vmlinuz"
}

# initramfs RELEASE: busybox, the modules and init.
initramfs() {
  local tree=$WORK/$1/initramfs module path
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,modules,proc,sys,dev,root}
  cp /bin/busybox "$tree/bin/busybox"
  cp scripts/kernels/init "$tree/init"
  chmod +x "$tree/init"
  for module in "${MODULES[@]}"; do
    path=$(find "$WORK/$1/package" -name "$module.ko*" | head -n 1)
    case $path in
      '') ;; # built in, or of another kernel's time
      *.xz) xz -dc "$path" >"$tree/modules/$module.ko" ;;
      *.zst) zstd -dcq "$path" >"$tree/modules/$module.ko" ;;
      *) cp "$path" "$tree/modules/" ;;
    esac
  done
  printf '%s\n' "${MODULES[@]}" >"$tree/modules/order"
  (cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$WORK/$1/initramfs.gz"
}

# boot RELEASE: runs the tests in the guest; its console is the log, and its last line the exit code.
boot() {
  local log=$WORK/$1.log acceleration=tcg,thread=multi
  [ -w /dev/kvm ] && grep -qE 'vmx|svm' /proc/cpuinfo && acceleration=kvm
  timeout "$TIMEOUT" qemu-system-x86_64 -M q35 -accel "$acceleration" -cpu max -smp 2 -m 3072 -nodefaults -nic none \
    -display none -no-reboot -serial stdio -kernel "$WORK/$1/vmlinuz" -initrd "$WORK/$1/initramfs.gz" \
    -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
    -device virtio-9p-pci,fsdev=root,mount_tag=root \
    -append "console=ttyS0 quiet panic=-1 clocksource=tsc tsc=reliable kindling.dir=$ROOT kindling.tests=${TESTS// /,}" \
    </dev/null >"$log" 2>&1 || true
  tr -d '\r' <"$log" | grep -oE '^kindling-exit: [0-9]+' | tail -n 1 | grep -oE '[0-9]+$' || echo none
}

# Where the test runner writes: the guest lays memory over them.
mkdir -p "$WORK" node_modules/.vite-temp node_modules/.vite
failed=0
for release in "${RELEASES[@]}"; do
  fetch "$release"
  initramfs "$release"
  code=$(boot "$release")
  version=$(tr -d '\r' <"$WORK/$release.log" | grep -oE '^kindling-kernel: .*' | head -n 1 | cut -d' ' -f2 || true)
  if [ "$code" = 0 ]; then
    printf 'kernels: %-10s %-24s passed  %s\n' "$release" "$version" "$(grep -aoE 'Tests .*' "$WORK/$release.log" | tail -n 1 | sed 's/\x1b\[[0-9;]*m//g' | tr -d '\r')"
  else
    printf 'kernels: %-10s %-24s FAILED (%s), see %s\n' "$release" "${version:-did not boot}" "$code" "$WORK/$release.log"
    failed=1
  fi
done
exit $failed
