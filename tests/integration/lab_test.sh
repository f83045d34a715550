#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The lab's data plane part, at a rate that any machine carries: its figures mean nothing here, but
# they have to be there, and nothing may be left behind. Where this machine has no third core, two
# workers share the generator's.
# shellcheck source-path=SCRIPTDIR
set -u
build=${1:?usage: lab_test.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/sallyport-lab-test.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM HUP
passed=0 failed=0

# check WHAT FILTER: does jq find this of the figures?
check() {
  if jq -e "$2" "$folder/out.json" >/dev/null; then
    passed=$((passed + 1))
  else
    echo "FAILED: $1" >&2
    failed=$((failed + 1))
  fi
}

read -r -a cpus < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)))')
if [ "${#cpus[@]}" -lt 2 ]; then
  echo "skipped: the lab needs two cores"
  exit 77
fi
export TMPDIR=$folder
SALLYPORT_BENCH_CPUS="${cpus[0]} ${cpus[-2]} ${cpus[-1]}" \
  "$here/../../bench/datapath.sh" --build "$build" --brief --rate 20 --sessions 64 --out "$folder/out.json" || {
  echo "0 passed, 1 failed"
  exit 1
}
check "one worker over each port, all of one size and mixed, and two workers" \
  '[.datapath[] | [.port, .workers, .payload]] == [["rings", 1, 160], ["rings", 1, "mixed"],
    ["memif", 1, 160], ["memif", 1, "mixed"], ["memif", 2, 160], ["memif", 2, "mixed"]]'
check "each with its costs, and without loss" '.datapath | all(.ns_per_packet > 0 and
  .echo_ns_per_packet > 0 and .loss == 0 and .verified > 0)'
check "each with the worker's stages" '.datapath | all(.stages | .receive > 0 and .transcrypt > 0 and .send > 0)'
check "each with the latencies of both, and what is added" '.datapath | all(.latency_us.p99 > 0 and
  .echo_latency_us.p99 > 0 and (.added_latency_us | has("p99")))'
check "an echo over each port" '[.echo[] | select(.ns_per_packet > 0) | .port] == ["rings", "memif"]'
check "how fast sessions are installed" '.sessions.install_per_s > 0 and .sessions.bytes_per_session > 0'
check "nothing skipped" '.skipped == []'
if [ "$(find "$folder" -mindepth 1 -maxdepth 1 -name 'sallyport.*' | wc -l)" -eq 0 ] &&
  ! grep -q "$folder" /proc/mounts; then
  passed=$((passed + 1))
else
  echo "FAILED: something is left behind in $folder" >&2
  failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
