#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What is offered and answered, and what the relay makes of it: downgrades, several streams, fresh
# keys before one's end, hold at the relay, plain RTP where it is allowed.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

# parts NAME...: each by itself
parts() {
  local part
  for part in "$@"; do
    echo "== $part"
    check "$part" env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 60 python3 \
      "$(dirname "$0")/offer_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem" \
      "$BUILD/relay/sallyctl" "$lab_dir/run/relay.sock" "$part"
    check "no session is left" eventually 5 no_session
  done
}

lab_up
lab_ca
LAB_SIP_LINES="  suites: [AES_CM_128_HMAC_SHA1_80, AES_CM_128_HMAC_SHA1_32]" lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_media
lab_sip
parts downgrade streams held expiring moved parameters

kill "$SIP_PID"
wait "$SIP_PID"
LAB_SIP_LINES="  srtp: preferred" lab_config "memory: auto"
lab_sip
parts opportunistic fax
check "no key is in any log of ours" sh -c "! grep -q 'inline:' '$lab_dir/sip.log' '$lab_dir/media.log'"
