#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# rtpengine's userspace relay: the highest rate that one of its threads, on one core, carries
# without loss, and the CPU time that a packet costs it there. Two legs of different SRTP suites,
# since with the same one it hands the keys through.
#
#   sudo bench/rtpengine.sh [--quick] --build DIR --out FILE
#
#   --quick       trials of a second over lo; without it of five, over lo and over a veth pair, of
#                 which the better one for rtpengine is reported
#   --build DIR   where udp_load has been built
#   --out FILE    gets the JSON
#   --cores G,R   cores of the generator and of rtpengine (default 0,1)
#
# rtpengine need not be installed: if it isn't, Debian's package and what it needs are unpacked into
# a temporary folder. Exit status: 0 measured, or no rtpengine to be had; 1 it failed; 2 wrong use.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=find_rtpengine.sh
. "$here/find_rtpengine.sh"
quick=no build="" out="" cores=0,1
sessions=100
pids=() namespaces=() rtpengine=() dir="" relay_pid="" why="" best=""

usage() {
  sed -n '3,16s/^# \{0,1\}//p' "$0"
  exit "$1"
}

while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=yes ;;
    --build) build=${2:-} && shift ;;
    --out) out=${2:-} && shift ;;
    --cores) cores=${2:-} && shift ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
  esac
  shift || usage 2 >&2
done
if [ -z "$build" ] || [ -z "$out" ]; then usage 2 >&2; fi
[[ $cores =~ ^[0-9]+,[0-9]+$ ]] || usage 2 >&2

tell() { echo "rtpengine: $*" >&2; }

# stop PID: one of ours, and wait until it has gone
stop() {
  local i
  kill "$1" 2>/dev/null
  for ((i = 0; i < 50; i++)); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$1" 2>/dev/null
  wait "$1" 2>/dev/null
}

lab_down() {
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do stop "${pids[i]}"; done
  for i in "${namespaces[@]}"; do ip netns del "$i" 2>/dev/null; done
  pids=() namespaces=()
}

finish() {
  local status=$?
  lab_down
  [ -n "$dir" ] && rm -rf "$dir"
  exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# write_part RESULT SENTENCE: the part's JSON, from a result's file, or none with the reason
write_part() {
  python3 - "$1" "$2" "$out" <<'PYTHON'
import json, os, sys
result, sentence, out = sys.argv[1:]
part = {"run": os.environ.get("SALLYPORT_LAB_RUN", ""), "rtpengine": None}
if result:
    with open(result) as file:
        part["rtpengine"] = json.load(file)
else:
    part["rtpengine_skipped"] = sentence
with open(out, "w") as file:
    json.dump(part, file, indent=2)
    file.write("\n")
PYTHON
}

# skip SENTENCE: nothing to measure
skip() {
  tell "skipped: $1"
  write_part "" "$1" || exit 1
  exit 0
}

fail() {
  tell "$1"
  write_part "" "$1"
  exit 1
}

# lab_up lo|veth: sets `relay_ns`, `far_ns`, `relay_ip`, `far_ip`
lab_up() {
  local name
  name=sp-rtpe-$(basename "$dir" | tr -dc 'a-zA-Z0-9' | tail -c 6)-$$
  relay_ns=$name-r far_ns=$name-r relay_ip=127.0.0.1 far_ip=127.0.0.2
  namespaces=("$relay_ns")
  ip netns add "$relay_ns" && ip -n "$relay_ns" link set lo up || return 1
  [ "$1" = veth ] || return 0
  far_ns=$name-f relay_ip=192.0.2.1 far_ip=192.0.2.2
  namespaces+=("$far_ns")
  ip netns add "$far_ns" &&
    ip -n "$relay_ns" link add relay type veth peer name far netns "$far_ns" &&
    ip -n "$relay_ns" addr add "$relay_ip/24" dev relay &&
    ip -n "$far_ns" addr add "$far_ip/24" dev far &&
    ip -n "$relay_ns" link set relay up && ip -n "$far_ns" link set far up
}

# One worker thread; no kernel module (table -1); calls that stay, however silent.
start_rtpengine() {
  taskset -c "${cores#*,}" ip netns exec "$relay_ns" "${rtpengine[@]}" --config-file=none \
    --foreground --log-stderr --log-level=3 --table=-1 --num-threads=1 --interface="$relay_ip" \
    --listen-ng="$relay_ip:2223" --port-min=20000 --port-max=30000 \
    --timeout=3600 --silent-timeout=3600 >/dev/null 2>"$dir/log" &
  relay_pid=$!
  pids+=("$relay_pid")
  ip netns exec "$far_ns" python3 "$here/ng.py" --ng "$relay_ip:2223" --ping
}

# measure lo|veth: leaves $dir/LINK.json
measure() {
  local seconds=5 budget=200 status calls
  [ "$quick" = no ] || seconds=1 budget=65
  lab_up "$1" || return 1
  start_rtpengine || return 1
  calls="exec python3 '$here/ng.py' --ng $relay_ip:2223 --calls $sessions"
  calls+=" --far $far_ip:40000 $far_ip:40002"
  ip netns exec "$far_ns" taskset -c "${cores%,*}" "$build/bench/udp_load" --calls "$calls" \
    --pid "$relay_pid" --core "${cores#*,}" --seconds "$seconds" --budget "$budget" \
    --note "rtpengine over $1" >"$dir/$1.json" &
  pids+=($!)
  wait $!
  status=$?
  unset 'pids[-1]'
  lab_down
  return $status
}

# best_of LINK...: the result in which a packet costs rtpengine the least, into $dir/best.json
best_of() {
  python3 - "$dir" "$version" "$@" <<'PYTHON'
import json, sys
folder, version, *links = sys.argv[1:]
results = []
for link in links:
    with open(f"{folder}/{link}.json") as file:
        results.append({"version": version, "link": link, **json.load(file)})
best = min(results, key=lambda result: result["cpu_ns_per_packet"])
with open(f"{folder}/best.json", "w") as file:
    json.dump(best, file)
PYTHON
}

if [ "$(id -u)" -ne 0 ]; then
  echo "rtpengine.sh: run it as root (sudo): it makes network namespaces" >&2
  exit 2
fi
if [ ! -x "$build/bench/udp_load" ]; then
  echo "rtpengine.sh: $build/bench/udp_load isn't there: ninja -C $build" >&2
  exit 2
fi
build=$(cd "$build" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/sallyport.XXXXXX")
ulimit -n 8192 2>/dev/null # four sockets a call
for core in "${cores%,*}" "${cores#*,}"; do
  taskset -c "$core" true 2>/dev/null ||
    skip "core $core can't be had: rtpengine and the generator need one each."
done
find_rtpengine "$dir" ||
  skip "Debian's rtpengine-daemon is neither installed nor to be fetched: apt-get install it."
version=$("${rtpengine[@]}" --version 2>&1 | sed -n 's/^Version: //p')
[ -n "$version" ] ||
  skip "rtpengine is there, but does not run: $("${rtpengine[@]}" --version 2>&1 | tail -1)"

links=lo
[ "$quick" = yes ] || links="lo veth"
for link in $links; do
  if measure "$link"; then
    best="$best $link"
  else
    why=$(grep -v 'receive queue' "$dir/log" 2>/dev/null | tail -1)
    tell "not measured over $link${why:+; its log ends: $why}"
    lab_down
  fi
done
[ -n "$best" ] ||
  fail "rtpengine $version: no rate was carried without loss.${why:+ Its log ends: $why}"
# shellcheck disable=SC2086 # words
best_of $best && write_part "$dir/best.json" ""
