#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A carrier's hour in a minute: 1,000 sessions at 50 packets a second each way over net_memif, with
# 200 installs and deletes a second beside and a flood of forged packets on one of them. Nothing of the
# others is lost, nothing comes out of order, nothing is left behind.
#   SALLYPORT_LOAD_SECONDS (default 60), SALLYPORT_LOAD_CHURN (default 200)
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
seconds=${SALLYPORT_LOAD_SECONDS:-60} churn=${SALLYPORT_LOAD_CHURN:-200}
# the relay's worker on one CPU, the far ends on another
read -r -a cpus < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)))')
cat >"$lab_dir/sallyport.yaml" <<CONFIG
media:
  socket: $lab_dir/run/relay.sock
  memory: auto
  memory_mb: 512
  poll: busy
  cpus: [${cpus[-1]}]
  sessions: 5000
  interfaces:
    - name: media
      device: net_memif0,role=server,id=0,socket=$lab_dir/run/memif.sock,socket-abstract=no,rsize=13,bsize=2048
      address: 198.51.100.1/24
CONFIG
mkdir -p "$lab_dir/run"
ip -n "$NS_R" link del vb # its address is this test's
lab_media
before=$(ctl --json status | jq .mbufs_in_use)
"$BUILD/bench/load" --socket "$lab_dir/run/relay.sock" --memif "$lab_dir/run/memif.sock" --sessions 1000 --rate 50 \
  --seconds "$seconds" --churn "$churn" --flood 5000 --cpu "${cpus[0]}" >"$lab_dir/load.json" 2>"$lab_dir/load.log" &
LOAD_PID=$!
lab_pids+=("$LOAD_PID")
wait "$LOAD_PID"
result=$?
cat "$lab_dir/load.json"
[ "$result" -eq 0 ] || tail -5 "$lab_dir/load.log"
ctl --json stats >"$lab_dir/stats.json"
counter() { jq --arg key "$1" '.[$key] // 0' "$lab_dir/stats.json"; }
field() { jq ".$1" "$lab_dir/load.json"; }
check "every packet came, in order, genuine" [ "$result" -eq 0 ]
check "that were $(field sent)" [ "$(field sent)" -ge $((seconds * 100000 * 95 / 100)) ]
check "$(field installed) installs, $(field deleted) deletes beside" [ "$(field installed)" -ge $((seconds * churn * 3 / 4)) ]
check "the flood of $(field forged) was refused" [ "$(($(counter drop.auth_failed) + $(counter drop.auth_throttled)))" -ge "$(field forged)" ]
check "most of it without a look at the tag" [ "$(counter drop.auth_throttled)" -gt "$(counter drop.auth_failed)" ]
# what the kernel says before the peer is there finds its queue full
check "no queue was ever full" [ "$(($(counter drop.tx_full) + $(counter drop.handover_full)))" -le 8 ]
check "no session is left" no_session
check "no packet buffer is left" [ "$(ctl --json status | jq .mbufs_in_use)" -le $((before + 64)) ]
[ "$bad" -eq 0 ] || jq -c 'with_entries(select((.key | test("drop|worker.0")) and .value > 0))' "$lab_dir/stats.json"
