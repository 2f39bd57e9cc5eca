#!/usr/bin/env bash
# Installs the stock programs that the kernel tests talk to, if they are missing: clients and servers that nobody here
# wrote. As root or with sudo; otherwise it says what is missing and the tests that need it are skipped. Servers, which
# bring a service that would start, only where every test must run (KINDLING_REQUIRE_KERNEL=1).
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
while read -r program package only; do
  [ -z "$only" ] || [ "${KINDLING_REQUIRE_KERNEL:-}" = 1 ] || continue
  command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || missing+=("$package")
done <<'END'
curl curl
wget wget
wrk wrk
python3 python3
openssl openssl
ip iproute2
faketime faketime
nft nftables
nginx nginx-light server
redis-server redis-server server
redis-benchmark redis-tools server
psql postgresql server
pgbench postgresql server
END
[ ${#missing[@]} -eq 0 ] && exit 0
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null || { ! sudo -n true 2>/dev/null && ! [ -t 0 ]; }; then
    printf 'tests: not installed, because that needs root: %s\n' "${missing[*]}" >&2
    exit 0
  fi
  as_root=(sudo)
fi
command -v apt-get >/dev/null || { printf 'tests: missing: %s\n' "${missing[*]}" >&2; exit 0; }
printf 'tests: installing %s\n' "${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
mkdir -p build
# Nothing that is installed for tests starts by itself.
if [ "$(id -u)" -eq 0 ] && [ "${KINDLING_REQUIRE_KERNEL:-}" = 1 ] && [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
install() { "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >build/setup-tests.log 2>&1; }
install "${missing[@]}" || { "${as_root[@]}" apt-get update -qq >>build/setup-tests.log 2>&1 || true; install "${missing[@]}"; } ||
  printf 'tests: could not install %s (build/setup-tests.log)\n' "${missing[*]}" >&2
