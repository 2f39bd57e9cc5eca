#!/usr/bin/env bash
# `make deb`: build/kindling_VERSION_ARCH.deb from what was built before. Same sources, same bytes: times in it are
# SOURCE_DATE_EPOCH, or that of the last commit.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(node -p 'require("./package.json").version')
architecture=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
umask 022

scripts/stage.sh "$root/usr/lib/kindling"
mkdir -p "$root"/{DEBIAN,usr/bin,etc/kindling,usr/lib/systemd/system,usr/share/doc/kindling}
rm "$root/usr/lib/kindling/LICENSE"
cp deploy/debian/copyright "$root/usr/share/doc/kindling/copyright"
ln -s ../lib/kindling/bin/kindling "$root/usr/bin/kindling"
cp deploy/debian/config.yaml "$root/etc/kindling/config.yaml"
cp deploy/systemd/kindling.service "$root/usr/lib/systemd/system/"
cp README.md "$root/usr/share/doc/kindling/"
gzip -9n <CHANGELOG.md >"$root/usr/share/doc/kindling/changelog.gz"
cp deploy/debian/{postinst,prerm,postrm} "$root/DEBIAN/"
chmod 755 "$root"/DEBIAN/{postinst,prerm,postrm}
printf '/etc/kindling/config.yaml\n' >"$root/DEBIAN/conffiles"
libraries=$(ldd "$root/usr/lib/kindling/build/native/kindling.node" | grep -c libelf || true)
[ "$libraries" = 1 ] || { echo 'deb: the addon does not use libelf any more: change Depends.' >&2; exit 1; }
cat >"$root/DEBIAN/control" <<END
Package: kindling
Version: $version
Architecture: $architecture
Maintainer: The Kindling authors <kindling@localhost>
Section: net
Priority: optional
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f1)
Depends: nodejs (>= 20.19), libelf1 | libelf1t64, zlib1g, libstdc++6, libc6 (>= 2.35)
Description: eBPF agent that explains slow spans
 Kindling takes the traces that applications already send over OpenTelemetry and
 writes on each span, with no change to any application, why it took its time:
 what its thread ran, which lock, peer, file or timer it waited for.
END
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$root" "build/kindling_${version}_${architecture}.deb"
