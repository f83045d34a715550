#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The performance lab, in one command: see usage below.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
parts_known="crypto datapath rtpengine"

usage() {
  cat <<EOF
Usage: sudo bench/run.sh [--quick] [--part NAME]... [--json FILE] [--html FILE] [--help]

Measures Sallyport against what it is compared with, all in one run: builds a release build, runs
the parts one after the other, merges what they found, and prints a table of it with the goals.

  --quick       fewer points and rounds: done in under 10 minutes
  --part NAME   only this part; may be given again for another:
                  crypto      SRTP's crypto alone, each engine, and ipsec-mb called straight
                  datapath    the relay between two ports, against an echo over the same port
                  rtpengine   the same calls through rtpengine, if it is installed
  --json FILE   the figures, for programs (also kept as lab.json in the build folder)
  --html FILE   a page of plots, which needs no other file
  --help        this text

Environment:
  SALLYPORT_BENCH_BUILD   the build folder (default: build-bench in the project's root)

Progress goes to stderr, the table to stdout. Nothing else should run on the machine meanwhile: the
parts pin themselves to cores, take turns and report how far rounds were apart, but what a neighbour
takes is gone. Network namespaces, huge pages and processes that a part makes are taken away again
however it ends. Examples:

  sudo bench/run.sh --quick --html lab.html
  sudo bench/run.sh --quick --part crypto --json crypto.json
  bench/report.py --html lab.html build-bench/lab.json     # the table again, and the page

Exit status: 0 measured, 1 something failed or was refused, 2 wrong use, 77 nothing could run here.
EOF
}

say() { echo "run.sh: $*" >&2; }

misused() {
  say "$*: see bench/run.sh --help"
  exit 2
}

fail() {
  say "$*"
  exit 1
}

# --- what is asked for ---

quick=() only="" json="" html=""
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=(--quick) ;;
    --part | --json | --html)
      [ $# -gt 1 ] && [ -n "$2" ] || misused "$1 takes a value"
      case $1 in
        --part)
          case $2 in
            crypto | datapath | rtpengine) only="$only $2" ;;
            *) misused "there is no part \"$2\", but $parts_known" ;;
          esac
          ;;
        --json) json=$2 ;;
        --html) html=$2 ;;
      esac
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) misused "what is \"$1\"?" ;;
  esac
  shift
done
parts=()
for part in $parts_known; do
  case " ${only:-$parts_known} " in *" $part "*) parts+=("$part") ;; esac
done
# rather now than after ten minutes
for file in "$json" "$html"; do
  [ -z "$file" ] && continue
  if [ -d "$file" ] || [ ! -d "$(dirname "$file")" ]; then
    misused "$file can't be written: name a file in a folder that is there"
  fi
done
if [ "$(id -u)" -ne 0 ]; then
  fail "run it as root (sudo): it makes network namespaces, reserves huge pages and opens DPDK ports"
fi

build=${SALLYPORT_BENCH_BUILD:-build-bench}
case $build in /*) ;; *) build=$root/$build ;; esac

# --- one at a time, and nothing left behind ---

# /run is root's own, and the whole machine's: labs of two source trees disturb each other too
lock=${SALLYPORT_BENCH_LOCK:-/run/sallyport-lab.lock}
exec 9>>"$lock" || fail "$lock can't be opened: it keeps two labs from running at once"
flock -n 9 ||
  fail "a lab is already running on this machine: two would measure each other, so wait for its end"

work=$(mktemp -d "${TMPDIR:-/tmp}/sallyport-lab.XXXXXX") || exit 1
running=""

# Ends the running part with all that it started: each part leads a process group of its own.
stop_part() {
  local i
  [ -n "$running" ] || return 0
  # by its own number too: it may not lead its group yet
  kill -TERM -- "-$running" "$running" 2>/dev/null
  # it takes down what it made: namespaces, huge pages
  for ((i = 0; i < 200; i++)); do
    kill -0 -- "-$running" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL -- "-$running" 2>/dev/null
  wait "$running" 2>/dev/null
  running=""
}

finish() {
  local status=$?
  trap '' INT TERM HUP # not again, half way
  stop_part
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'fail "interrupted: taking down what was begun"' INT TERM HUP PIPE

# --- what it needs, and the build ---

check_packages() {
  local package missing=""
  "$root/deploy/packages.sh" build demo >&2 || fail "packages are missing, and could not be installed: see above"
  command -v dpkg-query >/dev/null || return 0 # meson names what is missing
  for package in $("$root/deploy/packages.sh" --list build demo); do
    [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] ||
      missing="$missing $package"
  done
  [ -z "$missing" ] ||
    fail "packages are missing:$missing. Install them: sudo deploy/packages.sh build demo"
}

check_load() {
  awk '{ exit $1 > 0.5 }' /proc/loadavg ||
    say "note: the load is $(cut -d' ' -f1 /proc/loadavg): something else is running, figures may be spread"
}

is_release() {
  meson introspect "$build" --buildoptions 2>/dev/null </dev/null | jq -e '
    [.[] | {(.name): .value}] | add |
    .buildtype == "release" and (.b_sanitize // "none") == "none"' >/dev/null
}

build_release() {
  echo "== building ${build##*/}" >&2
  if [ ! -f "$build/build.ninja" ]; then
    meson setup "$build" "$root" --buildtype=release -Dtests=false \
      >"$work/build.log" 2>&1 </dev/null 9>&- || {
      tail -20 "$work/build.log" >&2
      fail "meson could not set up $build: its words are above"
    }
  fi
  is_release ||
    fail "$build is no release build: remove it, or name another folder in SALLYPORT_BENCH_BUILD"
  ninja -C "$build" 2>&1 </dev/null 9>&- | tee "$work/build.log" |
    awk 'NR % 25 == 0 { print "   " $1, $2; fflush() }' >&2
  [ "${PIPESTATUS[0]}" -eq 0 ] || {
    grep -E -A12 "error|FAILED" "$work/build.log" | tail -40 >&2
    fail "the build in $build failed: the compiler's words are above"
  }
}

# --- the parts ---

# of each: about how long it takes, and how long it may, both in seconds
times_of() {
  case ${#quick[@]}.$1 in
    1.crypto) echo "150 240" ;;
    1.datapath) echo "250 400" ;;
    1.rtpengine) echo "90 150" ;;
    *.rtpengine) echo "600 1800" ;;
    *) echo "1500 5400" ;;
  esac
}

# start PART: in the background, as the leader of its own process group; sets `running`
start() {
  case $1 in
    crypto) setsid "$build/bench/crypto" "${quick[@]}" </dev/null 9>&- >"$work/crypto.json" & ;;
    *)
      setsid "$here/$1.sh" "${quick[@]}" --build "$build" --out "$work/$1.json" </dev/null 9>&- >&2 &
      ;;
  esac
  running=$!
}

# run_part PART: returns its exit status, or 124 if it took too long
run_part() {
  local usual most status part_begun=$SECONDS
  read -r usual most <<<"$(times_of "$1")"
  echo "== $1, part $number of ${#parts[@]}: takes about $usual s; $((SECONDS - lab_begun)) s have gone" >&2
  start "$1"
  while kill -0 "$running" 2>/dev/null; do
    if [ $((SECONDS - part_begun)) -ge "$most" ]; then
      say "$1 took longer than $most s: it is ended"
      stop_part
      return 124
    fi
    sleep 0.2
  done
  wait "$running"
  status=$?
  # whoever of its group is still there would be measured along with the next part
  stop_part
  echo "== $1 took $((SECONDS - part_begun)) s" >&2
  return "$status"
}

# was_skipped FILE: does it say why there are no figures in it?
was_skipped() { jq -e 'has("rtpengine_skipped")' "$1" >/dev/null 2>&1; }

git_here() { git -c safe.directory="$root" -C "$root" "$@" 2>/dev/null; }

# head_part FILE: what is known of the run as a whole
head_part() {
  local commit release
  commit=$(git_here rev-parse --short=12 HEAD) || commit=unknown
  [ -z "$(git_here status --porcelain)" ] || commit=$commit+changes
  release=$(meson introspect "$build" --projectinfo 2>/dev/null </dev/null | jq -r .version)
  jq -n --arg run "$SALLYPORT_LAB_RUN" --arg release "${release:-unknown}" --arg commit "$commit" \
    --arg begun "$begun" --argjson seconds "$((SECONDS - lab_begun))" --argjson quick "${#quick[@]}" '
    {schema: 1, release: $release, commit: $commit, run: $run, begun: $begun, seconds: $seconds,
     quick: ($quick == 1)}' >"$1"
}

check_packages
check_load
build_release

SALLYPORT_LAB_RUN=$(cat /proc/sys/kernel/random/uuid)
export SALLYPORT_LAB_RUN
begun=$(date -u +%Y-%m-%dT%H:%M:%SZ)
lab_begun=$SECONDS
"$here/machine.py" >"$work/machine.json" </dev/null || fail "machine.py could not describe the machine"
found=("$work/machine.json")
number=0 failed=0 measured=0
for part in "${parts[@]}"; do
  number=$((number + 1))
  run_part "$part"
  status=$?
  if [ "$status" -eq 0 ] && was_skipped "$work/$part.json"; then status=77; fi
  case $status in
    0) measured=$((measured + 1)) ;;
    77) say "$part can't run on this machine: its own words are above" ;;
    *)
      say "$part failed with status $status, and its figures are left out: its own words are above"
      failed=1
      was_skipped "$work/$part.json" || rm -f "$work/$part.json"
      ;;
  esac
  [ -s "$work/$part.json" ] && found+=("$work/$part.json")
done
if [ "$measured" -eq 0 ]; then
  [ "$failed" -eq 0 ] && exit 77
  fail "no part measured anything"
fi

head_part "$work/head.json" || fail "the run could not be described: jq's words are above"
"$here/report.py" merge "$SALLYPORT_LAB_RUN" "$work/lab.json" "$work/head.json" "${found[@]}" || failed=1
[ -s "$work/lab.json" ] || fail "the parts could not be merged: the reason is above"
for file in "$build/lab.json" "$json"; do
  [ -z "$file" ] || cp "$work/lab.json" "$file" || failed=1
done
"$here/report.py" ${html:+--html "$html"} "$work/lab.json" || failed=1
say "the figures are in ${json:-$build/lab.json}${html:+, the page is $html}"
exit "$failed"
