#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The lab's second and fourth part: what the whole relay costs, beside an echo over the same port. The
# shipped sallyport-media has one core, or two, and the generator (bench/feed) another.
#
# Between the two is a pair of rte_rings, the cheapest port there is, for which the relay shares its memory
# (media.shared_memory); and, in another relay, net_memif, for which it shares none of its keys.
# shellcheck source-path=SCRIPTDIR source=../deploy/lib.sh
set -u
ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/deploy/lib.sh"

usage() {
  cat <<TEXT
Usage: sudo bench/datapath.sh --build DIR --out FILE [--quick] [--sessions N,...]

Measures the shipped sallyport-media in DIR, fed over a pair of rte_rings and over net_memif, in turns
with an echo over the same kind of port. Writes JSON to FILE. bench/run.sh runs it with the lab's other
parts.

  --quick         shorter trials, fewer rounds
  --brief         only long enough to see that all of it works
  --sessions N,.. these points (growing) instead of the usual ones
  --port NAME     only rings, or only memif
  --rate KPPS     no search for the highest rate: measure at this one
  --plan          only print which CPUs the generator and the workers would have, and end
Environment:
  SALLYPORT_BENCH_CPUS  the CPUs to use, "0 1 2": the generator's, then the workers' (default: one of
                        each core)
Exit status: 0 measured, 1 not, 2 wrong usage, 77 this machine has one core only.
TEXT
}

all=64,1000,10000,100000,400000
quick=no brief=no plan=no out="" BUILD="" points=$all points_memif=$all points_two=64,100000 ports="rings memif"
rate=() trial=1000 confirm=5000 latencies=5000 repeat=5 arena=6144
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=yes ;;
    --brief) brief=yes ;;
    --plan) plan=yes ;;
    --build) BUILD=$(cd "${2:?}" && pwd) || exit 2; shift ;;
    --out) out=${2:?}; shift ;;
    --rate) rate=(--rate "${2:?}"); shift ;;
    --sessions) points=${2:?} points_memif=${2:?} points_two=${2:?}; shift ;;
    --port) ports=${2:?}; shift ;;
    --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[ "$plan" = yes ] || { [ -n "$BUILD" ] && [ -n "$out" ]; } || { usage >&2; exit 2; }
case $ports in
  rings | memif | "rings memif") ;;
  *) usage >&2; exit 2 ;;
esac
if [ "$quick" = yes ]; then
  trial=300 confirm=800 latencies=500 repeat=3 arena=2048
  [ "$points_memif" != "$all" ] || points_memif=64,100000
fi
[ "$brief" = no ] || trial=200 confirm=250 latencies=250 repeat=1 arena=64

# --- which CPU does what ---

# one of each core, so that two of them never share one
cpus_of_cores() {
  python3 - <<'PYTHON'
import os
cpus, cores = [], set()
for cpu in sorted(os.sched_getaffinity(0)):
    try:
        with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", encoding="ascii") as file:
            core = file.read()
    except OSError:
        core = cpu
    if core not in cores:
        cores.add(core)
        cpus.append(cpu)
print(*(cpus if len(cpus) > 1 else sorted(os.sched_getaffinity(0))))
PYTHON
}

read -r -a cpus <<<"${SALLYPORT_BENCH_CPUS:-$(cpus_of_cores)}"
if [ "${#cpus[@]}" -lt 2 ]; then
  echo "datapath.sh: this machine has one core: the generator needs one of its own" >&2
  exit 77
fi
generator=${cpus[0]} one=${cpus[-1]} two="" skipped=""
if [ "${#cpus[@]}" -ge 3 ]; then
  two="${cpus[-2]},$one"
else
  skipped="two workers and the generator need 3 cores, and here are ${#cpus[@]}"
fi
if [ "$plan" = yes ]; then
  echo "generator $generator"
  echo "one worker $one"
  echo "two workers ${two:-skipped: $skipped}"
  exit 0
fi

# --- nothing is left behind ---

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
  # who is stopped, since it was not its turn, could not end
  [ "${#lab_pids[@]}" -eq 0 ] || kill -CONT "${lab_pids[@]}" 2>/dev/null
  [ -n "$lab_dir" ] && umount -l "$lab_dir/huge" 2>/dev/null
  lab_down
  [ "$pool_added" -eq 0 ] || pool_add -"$pool_added"
  exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP PIPE

# --- the parts ---

device() { echo "net_memif0,role=server,id=0,socket=$lab_dir/run/$1.sock,socket-abstract=no,rsize=14,bsize=2048"; }

# start_echo NAME ARGUMENT...: sets ECHO_PID
start_echo() {
  local name=$1
  shift
  RUNTIME_DIRECTORY=$lab_dir/run "$BUILD/bench/echo" --control "$lab_dir/run/$name.ctl" "$@" 2>"$lab_dir/$name.log" &
  ECHO_PID=$!
  lab_pids+=("$ECHO_PID")
  wait_for 20 in_log "$lab_dir/$name.log" ready || {
    cat "$lab_dir/$name.log" >&2
    fail "datapath.sh: the echo did not start: its own words are above"
  }
}

# end PID...: and wait for it, or its core is not free
end() {
  kill -TERM "$@"
  wait "$@"
}

# feed_it ARGUMENT...: with what is the same for all
feed_it() {
  RUNTIME_DIRECTORY=$lab_dir/run "$BUILD/bench/feed" --trial "$trial" --confirm "$confirm" --latencies "$latencies" \
    --repeat "$repeat" --arena "$arena" --cpu "$generator" "${rate[@]}" "$@"
}

# start_raw CPU: raw ipsec-mb, measured on the worker's core when feed asks; sets RAW_PID
start_raw() {
  "$BUILD/bench/crypto" --serve "$lab_dir/run/raw.ctl" --core "$1" 2>"$lab_dir/raw.log" &
  RAW_PID=$!
  lab_pids+=("$RAW_PID")
  wait_for 20 in_log "$lab_dir/raw.log" ready || {
    cat "$lab_dir/raw.log" >&2
    fail "datapath.sh: bench/crypto did not start: its own words are above"
  }
}

# configure CPUS MOST_SESSIONS PORT: of the relay
configure() {
  local only=${1//[^,]/} i
  cat <<CONFIG
media:
  socket: $lab_dir/run/relay.sock
  memory_mb: $((768 + $2 * 9 / 2048))
  poll: busy
  workers: $((${#only} + 1))
  cpus: [$1]
  sessions: $(($2 + 30000))
CONFIG
  if [ "$3" = rings ]; then
    printf '  shared_memory: %s\n  interfaces:\n    - {name: media, device: "rings:lab", addresses: [' "$lab_name"
  else
    printf '  interfaces:\n    - {name: media, device: "%s", addresses: [' "$(device memif)"
  fi
  for ((i = 1; i <= 36; i++)); do
    printf "\n        {address: 198.51.100.%d/24, ports: {first: 10000, last: 64999}}," "$i"
  done
  printf '\n        ]}\n'
}

# measure_relay NAME PORT WORKERS CPUS POINTS ARGUMENT...: into NAME.json
measure_relay() {
  local name=$1 port=$2 workers=$3 where=$4 which=$5 peers
  shift 5
  configure "$where" "${which##*,}" "$port" >"$lab_dir/sallyport.yaml"
  if [ "$port" = rings ]; then
    RUNTIME_DIRECTORY=$lab_dir/run lab_media
    start_echo "$name" --rings "$lab_name" --cpu "$where" # in the relay's memory
    peers=(--rings "$lab_name")
  else
    # first, for it takes hugepages that are free, and the relay reserves what it lacks
    start_echo "$name" --device "$(device "echo-$name")" --cpu "$where"
    lab_media
    peers=(--memif "$lab_dir/run/memif.sock" --echo-memif "$lab_dir/run/echo-$name.sock")
  fi
  in_log "$lab_dir/media.log" "ordinary pages" && echo "datapath: without hugepages: the figures are worse than they need be" >&2
  [ "${which%%,*}" != 64 ] || set -- "$@" --mixed
  feed_it "${peers[@]}" --socket "$lab_dir/run/relay.sock" --relay-pid "$MEDIA_PID" \
    --echo-control "$lab_dir/run/$name.ctl" --echo-pid "$ECHO_PID" \
    --ring 14 --workers "$workers" --sessions "$which" "$@" >"$lab_dir/$name.json" ||
    fail "datapath.sh: the relay with $workers worker(s) over $port could not be measured"
  ctl --json stats | jq -c 'with_entries(select((.key | startswith("drop.")) and .value > 0))' >&2
  end "$ECHO_PID"
  end "$MEDIA_PID"
  rm -f "$lab_dir"/huge/* # shared memory outlives who shared it, and its pages would be missing
}

lab_up
mkdir -p "$lab_dir/run" "$lab_dir/huge"
ip -n "$NS_R" link del vb # its address is the relay's
mount -t hugetlbfs -o pagesize=2M none "$lab_dir/huge" || fail "datapath.sh: no hugetlbfs can be mounted"
pool_add 256 # the echo's, and some that rings keep; the relay reserves its own
for name in rings memif two; do echo null >"$lab_dir/$name.json"; done
start_raw "$one"
for port in $ports; do
  echo "datapath: the relay and the echo over $port, in turns" >&2
  which=$points
  [ "$port" = rings ] || which=$points_memif
  measure_relay "$port" "$port" 1 "$one" "$which" --latency "$which" --raw "$lab_dir/run/raw.ctl"
done
end "$RAW_PID"
if [ -n "$two" ]; then
  echo "datapath: over memif with two workers" >&2
  measure_relay two memif 2 "$two" "$points_two" --latency 64
else
  echo "datapath: two workers are skipped: $skipped" >&2
fi

jq -n --arg run "${SALLYPORT_LAB_RUN:-}" --arg skipped "$skipped" --slurpfile rings "$lab_dir/rings.json" \
  --slurpfile memif "$lab_dir/memif.json" --slurpfile two "$lab_dir/two.json" '
  {
    run: $run,
    echo: [$rings[0].echo, $memif[0].echo | select(. != null)],
    datapath: [$rings[0].points, $memif[0].points, $two[0].points | select(. != null) | .[]],
    sessions: ([$rings[0].sessions, $memif[0].sessions | select(. != null)] | first),
    skipped: (if $skipped == "" then [] else [{part: "datapath", workers: 2, why: $skipped}] end)
  }' >"$out" || fail "datapath.sh: the results could not be written to $out"
