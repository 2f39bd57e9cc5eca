#!/usr/bin/env bash
# `scripts/stage.sh DIRECTORY`: puts what a machine needs to run the agent there (it was built before), and nothing else.
# The container image and the Debian package are made from it.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:?usage: scripts/stage.sh DIRECTORY}
[ -e dist/main.js ] && [ -e build/native/kindling.node ] || { echo 'stage: call `make build` first.' >&2; exit 1; }
mkdir -p "$target/bin" "$target/build/native"
cp package.json package-lock.json LICENSE "$target/"
cp bin/kindling "$target/bin/"
cp -r dist "$target/"
cp build/native/kindling.node "$target/build/native/"
strip --strip-unneeded "$target/build/native/kindling.node"
(cd "$target" && npm ci --omit=dev --ignore-scripts --no-fund --no-audit --loglevel=error)
# Sources for debuggers, and tests of packages: a third of the size.
find "$target/dist" "$target/node_modules" \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name .npmignore \) -delete
rm -f "$target/package-lock.json"
# The same tree from the same sources, whoever builds it when (https://reproducible-builds.org/docs/source-date-epoch/).
if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
  find "$target" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
fi
chmod -R u=rwX,go=rX "$target"
