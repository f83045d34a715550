#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The SIP lab, at a rate that any machine carries: its figures mean nothing here, but SIPp registers and
# calls through stunnel, nothing fails, and nothing is left behind.
set -u
build=${1:?usage: sip_load_test.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/sallyport-sip-load.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM HUP
chmod 755 "$folder"
passed=0 failed=0

# check WHAT COMMAND...
check() {
  local what=$1
  shift
  if "$@" >/dev/null; then
    passed=$((passed + 1))
  else
    echo "FAILED: $what" >&2
    failed=$((failed + 1))
  fi
}
found() { jq -e "$1" "$folder/out.json"; }
nothing_left() {
  [ "$(find "$folder" -mindepth 1 -maxdepth 1 -name 'sallyport.*' | wc -l)" -eq 0 ] &&
    ! ip netns list | grep -q "^sp-sip-.*-$lab\b"
}

if [ "$(python3 -c 'import os; print(len(os.sched_getaffinity(0)))')" -lt 2 ]; then
  echo "skipped: the lab needs two cores"
  exit 77
fi
TMPDIR=$folder "$here/../../bench/sip.sh" --brief --alone --build "$build" --json "$folder/out.json" &
lab=$!
wait "$lab"
status=$?
check "it ended well" [ "$status" -eq 0 ]
check "registrations, none of which failed" found \
  '.rounds[0].register | .completed == .calls and .completed > 50 and .failed == 0'
check "calls, none of which failed or was refused" found \
  '.rounds[0].caller | .completed == .calls and .completed > 30 and .failed == 0 and .refused == 0'
check "what each cost" found '.maximum.Sallyport.caller | .cpu_ms_sip > 0 and .cpu_ms_media > 0 and .setup_ms > 0'
check "100 users are registered" found '.users.Sallyport | .registered == 100 and .registrations == 100'
check "calls stayed up, each with a session, at a time" found \
  '.users.Sallyport | .calls_up == .calls and .sessions_up == .calls and .calls > 20 and .calls_failed == 0'
check "none failed at 80 %" found '.soak | .completed == .calls and .calls > 20'
check "three times as many" found '.overload.Sallyport | .calls > 90 and .failed == 0'
check "nothing is left" nothing_left
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
