#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two workers on devices with two queues each: the device spreads packets as it likes, and those that
# reach the wrong worker are handed over. None is lost, and each session has one worker.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
LAB_DEVICE_A="net_af_packet0,iface=va,qpairs=2" LAB_DEVICE_B="net_af_packet1,iface=vb,qpairs=2" \
  lab_config "memory: auto" "workers: 2"
lab_media
S80=AES_CM_128_HMAC_SHA1_80 S32=AES_CM_128_HMAC_SHA1_32
check "there are two workers" [ "$(ctl --json status | jq .workers)" -eq 2 ]

senders=()
for i in 0 1 2 3 4 5 6 7; do
  key=$(openssl rand -base64 30) other=$(openssl rand -base64 30)
  "$BUILD/tests/tools/relay_session" "$lab_dir/run/relay.sock" "s$i" \
    "access-a,$S80,$key,$LAB_A:$((40000 + 2 * i))" "access-b,$S32,$other,$LAB_B:$((41000 + 2 * i))" \
    >"$lab_dir/s$i.json" || exit 1
  ip netns exec "$NS_A" timeout 20 ffmpeg -nostdin -loglevel quiet -re -f lavfi \
    -i "sine=frequency=440:sample_rate=8000:duration=4" -c:a pcm_mulaw -f rtp -srtp_out_suite $S80 \
    -srtp_out_params "$key" "srtp://192.0.2.1:$(jq '.[0].port' "$lab_dir/s$i.json")?localrtpport=$((40000 + 2 * i))&pkt_size=184" >"$lab_dir/ffmpeg.$i" &
  senders+=("$!")
  lab_pids+=("$!")
done
wait "${senders[@]}"
sleep 0.5

whole() {
  jq -e '.legs[0].packets_in > 150 and .legs[0].packets_in == .legs[1].packets_out and (.legs[0].drops | length == 0)' \
    "$1" >/dev/null
}
workers=""
for i in 0 1 2 3 4 5 6 7; do
  ctl --json sessions "s$i" >"$lab_dir/s$i.now"
  workers="$workers $(jq .worker "$lab_dir/s$i.now")"
  check "session $i: all $(jq '.legs[0].packets_in' "$lab_dir/s$i.now") packets went on" whole "$lab_dir/s$i.now"
done
check "both workers own sessions:$workers" sh -c "echo '$workers' | grep -q 0 && echo '$workers' | grep -q 1"
handed=$(ctl --json stats | jq '[to_entries[] | select(.key | endswith("handed_over")).value] | add')
check "packets were handed over: $handed" [ "$handed" -gt 0 ]
check "none was lost on the way" [ "$(ctl --json stats | jq '.["drop.handover_full"] + .["drop.auth_failed"] + .["drop.replayed"]')" -eq 0 ]
