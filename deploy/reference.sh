#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The manual's list of settings, made from the source; and does the manual name all that there is?
set -u
cd "$(dirname "$0")/.." || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/sallyport-reference.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

usage() {
  cat <<USAGE
Usage: deploy/reference.sh [--check] [--help]

Writes docs/manual/settings.md: each setting of relay/config_fields.c, who reads it, and whether it
changes while calls run.

  --check  writes nothing; tells what docs/manual/settings.md, docs/config.md (a row for each setting)
           and docs/drops.md (a row for each counter of relay/drop.h) lack, or have too much
  --help   this text

Exit status: 0 done, nothing lacks; 1 something does; 2 usage.
USAGE
}

# {"sip.port", CONFIG_RESTART, SIP}, -> sip.port CONFIG_RESTART SIP
fields() { sed -nE 's/^\t\{"([^"]+)", (CONFIG_[A-Z]+), ([A-Z]+)\},$/\1 \2 \3/p' relay/config_fields.c; }

settings() {
  cat <<'HEAD'
# Every setting

Made by `deploy/reference.sh` from the table that the daemons themselves go by: change nothing here. [config.md](../config.md)
tells what each one means, its limits and its default; `sallyctl config show` what is in force on a box. An entry with `[]` is one
that comes or goes. "As entered" are short forms: what they stand for, `addresses[]`, counts.

| setting | read by | changes |
| --- | --- | --- |
HEAD
  fields | awk '
    { by["MEDIA"] = "sallyport-media"; by["SIP"] = "sallyport-sip"; by["WEB"] = "sallyport-web"; by["BOTH"] = "media and sip"
      how["CONFIG_LIVE"] = "by reload"; how["CONFIG_RESTART"] = "by restart"; how["CONFIG_FORM"] = "as entered"
      printf "| `%s` | %s | %s |\n", $1, by[$3], how[$2] }'
}

# each setting stands in back ticks in the section of docs/config.md that is nearest to it
unexplained_settings() {
  fields | awk '
    NR == FNR && /^##+ / { section = $2; sub(/:$/, "", section); next }
    NR == FNR { text[section] = text[section] $0 "\n"; next }
    { name = $1; if (name ~ /^sip\.(trunks|routes)\[\]$/) next # headings, with their own sections
      sub(/\[\]$/, "", name); leaf = name; sub(/.*\./, "", leaf); at = name; gsub(/\[\]/, "", at)
      while (sub(/\.?[^.]*$/, "", at) && at != "" && !(at in text)) ;
      if (index(text[at], "`" leaf "`") == 0)
        print "docs/config.md: no word of " $1 " in section \"" at "\": add a row" }' docs/config.md -
}

counters() {
  # "none" is what no packet is dropped for
  grep -oE '\bX\([A-Z_0-9]+, *(\\ *)?"[a-z_0-9]+"' relay/drop.h | sed 's/.*"\(.*\)"/\1/' | grep -vx none | sort >"$work/are"
  sed -nE 's/^\| ([a-z_0-9, ]+) \|.*/\1/p' docs/drops.md | grep -vx counter | tr -s ', ' '\n' | sort >"$work/told"
  [ -s "$work/are" ] || echo "relay/drop.h: no counter found"
  comm -23 "$work/are" "$work/told" | sed 's/.*/docs\/drops.md: no row for &, a counter of relay\/drop.h/'
  comm -13 "$work/are" "$work/told" | sed 's/.*/docs\/drops.md: & is told twice, or is no counter of relay\/drop.h/'
}

check() {
  [ "$(fields | wc -l)" -eq "$(grep -c '^	{"' relay/config_fields.c)" ] ||
    echo "relay/config_fields.c: deploy/reference.sh can't read every line of the table"
  settings | cmp -s - docs/manual/settings.md || echo "docs/manual/settings.md is old: run deploy/reference.sh"
  unexplained_settings
  counters
}

case ${1:-} in
  "") settings >docs/manual/settings.md ;;
  --check)
    check >"$work/lacks"
    cat "$work/lacks"
    [ ! -s "$work/lacks" ]
    ;;
  -h | --help) usage ;;
  *) echo "reference.sh: what is \"$1\"?" >&2; usage >&2; exit 2 ;;
esac
