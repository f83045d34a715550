#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The lab's second and fourth part: what the whole relay costs, beside an echo over the same port. The
# shipped sallyport-media has one core, the generator (bench/feed) another.
#
# Between the two is net_memif. A pair of rte_rings would be cheaper, but needs both ends to share all
# of DPDK's memory, and the relay shares none of its own (--in-memory): nobody can map its keys.
# shellcheck source-path=SCRIPTDIR source=../deploy/lib.sh
set -u
ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/deploy/lib.sh"

usage() {
  cat <<TEXT
Usage: sudo bench/datapath.sh --build DIR --out FILE [--quick] [--sessions N,...]

Measures the shipped sallyport-media in DIR, fed over net_memif, and an echo over the same port before
and after it; writes JSON to FILE. bench/run.sh runs it with the lab's other parts.

  --quick         fewer points, shorter trials
  --sessions N,.. these points (growing) instead of the usual ones
Exit status: 0 measured, 1 not, 2 wrong usage, 77 this machine has one core only.
TEXT
}

quick=no out="" BUILD="" points=64,1000,10000,100000,400000 latency=64,1000,10000,100000,400000
trial=1000 confirm=5000 repeat=5 arena=6144
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=yes ;;
    --build) BUILD=$(cd "${2:?}" && pwd) || exit 2; shift ;;
    --out) out=${2:?}; shift ;;
    --sessions) points=${2:?}; shift ;;
    --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[ -n "$BUILD" ] && [ -n "$out" ] || { usage >&2; exit 2; }
if [ "$quick" = yes ]; then
  [ "$points" != 64,1000,10000,100000,400000 ] || points=64,10000,100000,400000
  latency=64 trial=300 confirm=800 repeat=3 arena=2048
fi
read -r -a cpus < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)))')
[ "${#cpus[@]}" -ge 2 ] || { echo "datapath.sh: this machine has one core: the generator needs one of its own" >&2; exit 77; }

pool=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
pool_added=0
# pool_add N: so many hugepages more, or less, whatever others add meanwhile; the relay takes this lock too
pool_add() {
  (
    flock 9
    echo $(($(cat "$pool") + $1)) >"$pool"
  ) 9</proc/sys/vm/nr_hugepages
  pool_added=$((pool_added + $1))
}
finish() {
  local status=$?
  lab_down
  [ "$pool_added" -eq 0 ] || pool_add -"$pool_added"
  exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

device() { echo "net_memif0,role=server,id=0,socket=$lab_dir/run/$1.sock,socket-abstract=no,rsize=14,bsize=2048"; }

# run_echo NUMBER: what the port costs, into $lab_dir/echo-NUMBER.json and feed-echo-NUMBER.json
run_echo() {
  local pid
  "$BUILD/bench/echo" --device "$(device "echo$1")" --cpu "${cpus[-1]}" >"$lab_dir/echo-$1.json" 2>"$lab_dir/echo-$1.log" &
  pid=$!
  lab_pids+=("$pid")
  wait_for 20 in_log "$lab_dir/echo-$1.log" ready || { cat "$lab_dir/echo-$1.log" >&2; fail "datapath.sh: the echo did not start: its own words are above"; }
  "$BUILD/bench/feed" --echo --memif "$lab_dir/run/echo$1.sock" --trial "$trial" --confirm "$confirm" --repeat "$repeat" \
    --arena "$arena" --ring 14 --cpu "${cpus[0]}" >"$lab_dir/feed-echo-$1.json" || fail "datapath.sh: the echo could not be measured"
  kill -TERM "$pid"
  wait "$pid"
}

lab_up
mkdir -p "$lab_dir/run"
ip -n "$NS_R" link del vb # its address is the relay's
pool_add 160 # the echo's; the relay reserves its own
most=${points##*,}
{
  cat <<CONFIG
media:
  socket: $lab_dir/run/relay.sock
  memory: auto
  memory_mb: $((768 + most * 9 / 2048))
  poll: busy
  cpus: [${cpus[-1]}]
  sessions: $((most + 30000))
  interfaces:
    - name: media
      device: $(device memif)
      addresses:
CONFIG
  for ((i = 1; i <= 36; i++)); do printf "        - address: 198.51.100.%d/24\n          ports: {first: 10000, last: 64999}\n" "$i"; done
} >"$lab_dir/sallyport.yaml"

echo "datapath: the echo, first" >&2
run_echo 1
echo "datapath: the relay" >&2
lab_media
in_log "$lab_dir/media.log" "ordinary pages" && echo "datapath: without hugepages: the figures are worse than they need be" >&2
feed=("$BUILD/bench/feed" --memif "$lab_dir/run/memif.sock" --socket "$lab_dir/run/relay.sock" --sessions "$points"
  --latency "$latency" --trial "$trial" --confirm "$confirm" --repeat "$repeat" --arena "$arena" --ring 14 --cpu "${cpus[0]}")
[ "${points%%,*}" != 64 ] || feed+=(--mixed)
"${feed[@]}" >"$lab_dir/feed.json" || fail "datapath.sh: the relay could not be measured"
ctl --json stats | jq -c 'with_entries(select((.key | startswith("drop.")) and .value > 0))' >&2
kill -TERM "$MEDIA_PID"
wait "$MEDIA_PID"
echo "datapath: the echo, again" >&2
run_echo 2

# the echo's cost is the mean of before and after, and stands beside each of the relay's figures
jq -n --arg run "${SALLYPORT_LAB_RUN:-}" --slurpfile relay "$lab_dir/feed.json" \
  --slurpfile cost1 "$lab_dir/echo-1.json" --slurpfile cost2 "$lab_dir/echo-2.json" \
  --slurpfile feed1 "$lab_dir/feed-echo-1.json" --slurpfile feed2 "$lab_dir/feed-echo-2.json" '
  ([$cost1[0].ns_per_packet, $cost2[0].ns_per_packet] | add / 2) as $echo |
  ($feed1[0].points[0].latency_us) as $latency |
  {
    run: $run,
    echo: [{port: "memif", mpps: ([$feed1[0].points[0].mpps, $feed2[0].points[0].mpps] | max), ns_per_packet: $echo,
      spread: (([$cost1[0].ns_per_packet, $cost2[0].ns_per_packet] | max - min) / $echo)}],
    datapath: [$relay[0].points[] | . + {echo_ns_per_packet: $echo, added_ns_per_packet: (.ns_per_packet - $echo),
      echo_latency_us: $latency}],
    sessions: $relay[0].sessions
  }' >"$out" || fail "datapath.sh: the results could not be written to $out"
