#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Makes the man pages, of programs from what they say to --help, and of the configuration from
# docs/config.md: so none can be of another release.
#
#   deploy/man.sh PREFIX MAN-FOLDER     PREFIX: where bin/ and sbin/ with the programs are
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# = 2 ] || { sed -n '3,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
prefix=$1 out=$2
release=$(sed -n "s/^ *version: '\(.*\)',/\1/p" "$root/meson.build" | head -1)

# page NAME SECTION: from Markdown on standard input
page() {
  mkdir -p "$out/man$2"
  pandoc -s -f markdown-smart -t man -V title="$1" -V section="$2" -V header=Sallyport -V footer="Sallyport $release" \
    -o "$out/man$2/$1.$2"
}

# program PATH SECTION SUBJECT SEE-ALSO
program() {
  local name=${1##*/} said
  # the small ones tell their usage when they are asked wrongly
  said=$("$1" --help 2>&1 </dev/null | grep -v 'unrecognized option') || true
  [ -n "$said" ] || { echo "man.sh: $1 says nothing to --help" >&2; exit 1; }
  {
    printf '# NAME\n\n%s - %s\n\n# DESCRIPTION\n\n' "$name" "$3"
    sed 's/^/    /' <<<"$said"
    printf '\n# SEE ALSO\n\n%s\n' "$4"
  } | page "$name" "$2"
}

program "$prefix/sbin/sallyport-media" 8 "SRTP relay on DPDK" "sallyctl(8), sallyport-sip(8), sallyport.yaml(5)"
program "$prefix/sbin/sallyport-sip" 8 "registrar and back-to-back user agent on TLS" "sallyctl(8), sallyport-media(8), sallyport.yaml(5)"
program "$prefix/sbin/sallyport-web" 8 "metrics and live page of Sallyport" "sallyport-media(8), sallyport-sip(8), sallyport.yaml(5)"
program "$prefix/bin/sallyctl" 8 "a look into Sallyport, and a hand on it" "sallyport-media(8), sallyport-sip(8), sallyport.yaml(5)"
bench="sallyport-media(8), and docs/lab.md in the sources"
program "$prefix/bin/sallyport-bench-crypto" 1 "what SRTP's crypto costs" "$bench"
program "$prefix/bin/sallyport-bench-udp-load" 1 "what a relay carries without loss over UDP" "$bench"
program "$prefix/bin/sallyport-bench-feed" 1 "what sallyport-media carries without loss" "$bench"
program "$prefix/bin/sallyport-bench-echo" 1 "what a DPDK port carries without a relay" "$bench"
program "$prefix/bin/sallyport-bench-load" 1 "calls on a running sallyport-media, each packet counted" "$bench"
{
  printf '# NAME\n\nsallyport.yaml - the configuration of Sallyport\n\n'
  # the document's title is the page's name; its chapters are the page's sections; a row of a table,
  # which would be too wide here, is a term and what it means
  sed '1d; s/^## \(.*\)/# \U\1/; s/^### /## /' "$root/docs/config.md" |
    awk '
      !/^\|/ { rows = 0; print; next }
      { rows++; n = split(substr($0, 3, length($0) - 4), cell, / \| /); sub(/^ +/, "", cell[1]) }
      rows == 1 { for (i = 1; i <= n; i++) head[i] = cell[i]; next }
      rows == 2 { next }
      { text = cell[2]
        for (i = 3; i <= n; i++) if (cell[i] !~ /^[ |]*$/) text = text "; " head[i] ": " cell[i]
        print cell[1] "\n: " text ".\n" }'
} | page sallyport.yaml 5
