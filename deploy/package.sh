#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Debian packages of this tree: see usage below.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
  cat <<USAGE
Usage: deploy/package.sh [--output DIR] [--help]

Builds Debian 12 packages of this tree, in a copy of it: sallyport-media, sallyport-sip, sallyport-web,
sallyport-tools and sallyport-bench.

  --output DIR  where they go (default: packages, in the tree)
  --help        this text

What building takes is installed by: sudo deploy/packages.sh build demo package
The packages are installed by: sudo apt-get install DIR/*.deb

Exit status: 0 built; 1 not built (the last lines of the build are shown); 2 usage.
USAGE
}

output=$root/packages
while [ $# -gt 0 ]; do
  case $1 in
    --output) [ $# -gt 1 ] || { usage >&2; exit 2; }; output=$2; shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "package.sh: what is \"$1\"?" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
mkdir -p "$output"
output=$(cd "$output" && pwd)

release=$(sed -n "s/^ *version: '\(.*\)',/\1/p" "$root/meson.build" | head -1)
packaged=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$root/debian/changelog")
[ "${packaged%%[-+~]*}" = "$release" ] || {
  echo "package.sh: meson.build says release $release, debian/changelog $packaged: correct one of them" >&2
  exit 1
}

work=$(mktemp -d "${TMPDIR:-/tmp}/sallyport-package.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
mkdir "$work/sallyport"
# what is under version control, as it lies here
if git -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
  (cd "$root" && git ls-files -z --cached --others --exclude-standard |
    xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh) >"$work/files"
  tar -C "$root" --null -T "$work/files" -cf - | tar -C "$work/sallyport" -xf -
else
  tar -C "$root" --exclude='./build*' --exclude=./packages -cf - . | tar -C "$work/sallyport" -xf -
fi
cd "$work/sallyport"
if ! DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-} parallel=$(nproc)" dpkg-buildpackage -b -us -uc >"$work/log" 2>&1 </dev/null; then
  tail -40 "$work/log" >&2
  echo "package.sh: the build failed: its last lines are above (missing packages: sudo deploy/packages.sh build demo package)" >&2
  exit 1
fi
cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$output/"
ls "$output"/sallyport-*.deb
