# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# packages_made: this tree's packages, in $PACKAGES; made once for all tests of one state of the tree.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PACKAGES=$(cd "${1:?the build folder}" && pwd)/packages

packages_made() {
  mkdir -p "$PACKAGES"
  exec 8>"$PACKAGES/lock"
  flock 8
  if [ ! -f "$PACKAGES/made" ] ||
    [ -n "$(find "$ROOT" -name 'build*' -prune -o -name .git -prune -o -newer "$PACKAGES/made" -type f -print -quit)" ]; then
    rm -f "$PACKAGES"/*.deb "$PACKAGES"/*.changes "$PACKAGES/made"
    touch "$PACKAGES/begun"
    DEB_BUILD_OPTIONS=noautodbgsym "$ROOT/deploy/package.sh" --output "$PACKAGES" >/dev/null || return 1
    mv "$PACKAGES/begun" "$PACKAGES/made"
  fi
  flock -u 8
}
