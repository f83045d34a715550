#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The packages build, lintian finds nothing, and each has what it should.
#
# usage: packages_test.sh BUILD-FOLDER
set -u
# shellcheck source-path=SCRIPTDIR source=_packages.sh
. "$(dirname "$0")/_packages.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=../_check.sh
. "$(dirname "$0")/../_check.sh"

lintian_is_content() {
  lintian --allow-root --fail-on error,warning "$PACKAGES"/*.changes >"$work/lintian" 2>&1 && return 0
  cat "$work/lintian"
  return 1
}
holds() { dpkg-deb -c "$PACKAGES/$1"_*.deb | grep -qE " \./$2\$"; } # PACKAGE FILE
conffile() { dpkg-deb --ctrl-tarfile "$PACKAGES/$1"_*.deb | tar -xO ./conffiles | grep -qx "$2"; }
has_page() { [ -n "$(find "$work/all/usr/share/man" -name "$1.[158].gz")" ]; }
# each setting of the example is in the manual page
page_knows_settings() {
  local setting
  man -l "$work/all/usr/share/man/man5/sallyport.yaml.5.gz" 2>/dev/null | col -b >"$work/page"
  for setting in $(sed -nE 's/^  #?([a-z_]+):.*/\1/p' "$ROOT/deploy/sallyport.yaml" | sort -u); do
    grep -qw -- "$setting" "$work/page" || { echo "  not in the page: $setting"; return 1; }
  done
}
completes() { # EXPECTED WORD...
  local expected=$1
  shift
  # shellcheck disable=SC2016 # the inner shell's
  PATH=$work/all/usr/bin:$PATH bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sallyctl
    printf "%s\n" "${COMPREPLY[@]}"' "$work/all/usr/share/bash-completion/completions/sallyctl" "$@" | grep -qx -- "$expected"
}

packages_made || { echo "NOT OK: the packages build"; exit 1; }
for package in media sip web tools bench; do
  check "sallyport-$package is there" compgen -G "$PACKAGES/sallyport-${package}_*.deb"
  dpkg-deb -x "$PACKAGES/sallyport-$package"_*.deb "$work/all"
done
check "lintian finds no error and no warning" lintian_is_content
for program in "$work"/all/usr/sbin/* "$work"/all/usr/bin/*; do
  check "${program##*/} has a manual page" has_page "${program##*/}"
done
check "sallyport.yaml(5) knows every setting of the example" page_knows_settings
check "the configuration is a conffile" conffile sallyport-tools /etc/sallyport/sallyport.yaml
check "so is fail2ban's filter" conffile sallyport-sip /etc/fail2ban/filter.d/sallyport-sip.conf
check "no key or certificate is shipped" sh -c '[ -z "$(find "$1" -name "*.pem" -o -name "*.key")" ]' sh "$work/all"
for daemon in media sip web; do
  check "sallyport-$daemon: its unit" holds sallyport-$daemon "lib/systemd/system/sallyport-$daemon.service"
  check "sallyport-$daemon: its user" holds sallyport-$daemon "usr/lib/sysusers.d/sallyport-$daemon.conf"
done
check "completion: commands" completes sessions sallyctl se
check "completion: options" completes --json sallyctl --j
check "completion: what users can have done" completes import sallyctl user im
exit "$bad"
