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
fds_media=$(descriptors "$MEDIA_PID") fds_sip=$(descriptors "$SIP_PID")
mbufs_before=$(mbufs) resident_before=$(resident "$SIP_PID") ports_before=$(ctl --json status | jq '[.interfaces[].ports_used] | add')
check "200 calls" calls 200
check "no session is left, and no descriptor of sallyport-sip" eventually 10 gone
# SIP remembers ended transactions for half a minute: the memory is told, not judged
echo "descriptors: media $fds_media -> $(descriptors "$MEDIA_PID"), sip $fds_sip -> $(descriptors "$SIP_PID");" \
  "packet buffers $mbufs_before -> $(mbufs); sallyport-sip's memory $resident_before -> $(resident "$SIP_PID") KiB"
check "sallyport-media has as many descriptors as before" [ "$(descriptors "$MEDIA_PID")" -eq "$fds_media" ]
check "no media port is left in use" [ "$(ctl --json status | jq '[.interfaces[].ports_used] | add')" -eq "$ports_before" ]
# a driver keeps sent buffers until it needs room: up to a ring of them on each device
check "the packet buffers are there, but for the drivers' rings" [ $(($(mbufs) - mbufs_before)) -le 2048 ]
check "each call left its record" [ "$(grep -cE 'call [0-9a-f]{32}: alice to bob ended' "$lab_dir/sip.log")" -eq 220 ]
