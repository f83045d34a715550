#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# In the middle of a call, is a key or a password anywhere where it must not be? In core files of both
# daemons, in what sallyctl says, in logs at their most talkative, in records, traces and stores.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
mkdir "$lab_dir/records" "$lab_dir/cores" "$lab_dir/said"
chown nobody "$lab_dir/records"
LAB_SIP_LINES="  records: {path: $lab_dir/records/calls.jsonl}
  trace: {pcap: $lab_dir/records/sip.pcap}
log: {level: debug}" lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_media
lab_sip
phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000
phone_start bob "$NS_B"
wait_for 10 phone_registered bob
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN"
ALICE=$PHONE_PID
check "a call is up" eventually 8 one_session
id=$(ctl --json sessions | jq -r '.[0].id')
flows() { ctl --json sessions "$id" | jq -e '.legs | all(.packets_in > 50)' >/dev/null; }
check "with media both ways" eventually 8 flows

# look DAEMON...: for what these know; says what it found in the files that follow --
look() {
  PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/tests/integration/secrets_look.py" "$lab_dir/alice/log" "$lab_dir/bob/log" \
    "$lab_dir/users/users.db" "$lab_dir/tls/server.key" "$@"
}

# core NAME PID: the file's name is in CORE
core() {
  CORE=$lab_dir/cores/$1
  rm -f "$CORE".*
  gcore -o "$CORE" "$2" >"$CORE.txt" 2>&1
  CORE=$CORE.$2
  [ -s "$CORE" ] && readelf -h "$CORE" 2>/dev/null | grep -q 'Type:.*CORE'
}

for daemon in media sip; do
  pid=$MEDIA_PID
  [ "$daemon" = sip ] && pid=$SIP_PID
  echo "== sallyport-$daemon"
  check "the kernel makes no core file of it" grep -q 'Max core file size *0 *0 ' "/proc/$pid/limits"
  check "the core file that root makes of it" core "$daemon" "$pid"
  check "names its threads" [ "$(readelf -n "$CORE" 2>/dev/null | grep -c NT_PRSTATUS)" = \
    "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" ]
  check "and has no key and no hash of a password" look nothing "$CORE"
  check "its memory has them: this test sees them where they are" look "$daemon" "/proc/$pid/mem"
done
# who lets memory in again, for a debugger's sake, gets stack and heap, and still none of DPDK's
echo 0x7f >"/proc/$MEDIA_PID/coredump_filter"
check "a core file of sallyport-media with its heap and stacks" core media-heap "$MEDIA_PID"
check "has no key either" look nothing "$CORE"
rm -rf "$lab_dir/cores"

echo "== sallyctl"
# said WORDS...: what sallyctl says to them, for people and for machines
said() {
  local words
  words=$(tr -c 'a-z\n' - <<<"$*")
  ctl "$@" >"$lab_dir/said/$words.txt" 2>&1 </dev/null
  ctl --json "$@" >"$lab_dir/said/$words.json" 2>&1 </dev/null
}
said_sip_of() {
  "$BUILD/control/sallyctl-sip" --config "$lab_dir/sallyport.yaml" "$@" >"$lab_dir/said/sip-$1.txt" 2>&1 </dev/null
  "$BUILD/control/sallyctl-sip" --config "$lab_dir/sallyport.yaml" --json "$@" >"$lab_dir/said/sip-$1.json" 2>&1 </dev/null
}
for word in status stats sessions; do said "$word"; done
said sessions "$id"
said capture --session "$id" --seconds 1 --force "$lab_dir/said/call.pcapng"
for word in stats calls registrations trunks certificates trace; do said_sip_of "$word"; done
"$BUILD/relay/sallyctl" --config "$lab_dir/sallyport.yaml" user list >"$lab_dir/said/users.txt" 2>&1
check "it shows the call" grep -q "$id" "$lab_dir/said/sessions.json"
check "the signalling's, too" grep -q alice "$lab_dir/said/sip-calls.json"
check "its packets" [ -s "$lab_dir/said/call.pcapng" ]
check "and the users" grep -q bob "$lab_dir/said/users.txt"
check "no key, no hash" look nothing "$lab_dir/said"/*

echo "== files"
phone_stop "$ALICE"
check "the call ends" eventually 5 no_session
has_record() { [ -s "$lab_dir/records/calls.jsonl" ]; }
check "with a record" eventually 5 has_record
check "the logs are at their most talkative" grep -q debug: "$lab_dir/sip.log"
check "no key, no hash in logs, records, traces, bindings" look nothing "$lab_dir"/*.log "$lab_dir/records"/* "$lab_dir/bindings"/*
