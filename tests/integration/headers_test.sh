#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Topology hiding, the list of headers that pass, privacy and reasons, between test phones; and the
# reasons in the call records.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
mkdir "$lab_dir/records"
chown nobody "$lab_dir/records"
LAB_SIP_LINES="  records: {path: $lab_dir/records/calls.jsonl}" lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_user carol absent99
lab_media
lab_sip

check "all of headers_test.py" env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 60 \
  python3 -u "$(dirname "$0")/headers_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem"
check "no session is left" eventually 5 no_session
recorded() { jq -se "$1" "$lab_dir/records/calls.jsonl" >/dev/null; }
check "records say who ended a call, and why" eventually 5 recorded \
  '.[0] | .ended_by == "callee" and .reason == "Q.850;cause=16;text=\"Normal clearing\", SIP;cause=200"'
check "who cancelled" recorded 'any(.[]; .ended_by == "caller" and .status == 487 and (.reason | test("tired of waiting")) and .answer == null)'
check "who was busy" recorded 'any(.[]; .ended_by == "callee" and .status == 486 and .cause == "busy")'
check "which codecs there were" recorded '.[0].media[0].legs | all(.codecs == "PCMU/8000")'
check "that a call was private does not hide it from its record" recorded 'all(.[]; .legs[0].user == "alice")'
