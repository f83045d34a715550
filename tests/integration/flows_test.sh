#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Where calls to a registered user go: by q, by Path, by the newest flow of a phone, to the right one of
# several phones; and after kill -9 of sallyport-sip.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_media
lab_sip

part() {
  env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 60 \
    python3 "$(dirname "$0")/flows_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem" "$1"
}
for name in q path flows phones; do
  echo "== $name"
  check "$name" part "$name"
  check "no session is left" eventually 5 no_session
done

sed -i '$a log: {level: debug}' "$lab_dir/sallyport.yaml"
kill "$SIP_PID"
wait "$SIP_PID" 2>/dev/null
: >"$lab_dir/sip.log"
lab_sip
check "a phone registers" part before
check "that is written" eventually 5 said_sip "of bindings written"
kill -9 "$SIP_PID"
wait "$SIP_PID" 2>/dev/null
: >"$lab_dir/sip.log"
lab_sip
check "after kill -9 its binding is there" said_sip "binding(s) of an earlier life"
check "its first request makes it reachable" part after
check "no session is left" eventually 5 no_session
