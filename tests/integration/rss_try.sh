#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# After 200 calls, ended in every way, everything is as it was: sessions, packet buffers, descriptors.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_media
lab_sip
here=$(dirname "$0")

calls() {
  PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 120 python3 "$here/many_calls.py" \
    "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem" "$1"
}
descriptors() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
resident() { awk '/VmRSS/ { print $2 }' "/proc/$1/status"; }
mbufs() { ctl --json status | jq .mbufs_in_use; }
gone() { [ "$(sessions)" -eq 0 ] && [ "$(descriptors "$SIP_PID")" -le "$fds_sip" ]; }

# the first calls warm everything up: the library's pools, the driver's rings
check "the first calls" calls 20
sleep 1.5 # the phones' connections are gone, and their bindings swept

for i in 1 2 3 4; do calls 200; sleep 36; echo "RSS $(resident $SIP_PID)"; done
