#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A leg follows its far end only with genuine packets, and only if it may; strangers move nothing; an
# address that media may not be sent to is refused; a silent session ends by itself.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_config "memory: auto"
lab_media
S80=AES_CM_128_HMAC_SHA1_80
KEY=$(openssl rand -base64 30) OTHER=$(openssl rand -base64 30)

# session ID REMOTE_A [FLAGS]: sets PORT, the relay's on leg A
session() {
  "$BUILD/tests/tools/relay_session" "$lab_dir/run/relay.sock" "$1" \
    "access-a,$S80,$KEY,$2${3:-}" "access-b,$S80,$OTHER,$LAB_B:41000" >"$lab_dir/$1.json" 2>"$lab_dir/$1.err" || return 1
  PORT=$(jq '.[0].port' "$lab_dir/$1.json")
}
# send OWN_PORT KEY [SECONDS]: a tone to the relay's leg A
send() {
  ip netns exec "$NS_A" timeout 20 ffmpeg -nostdin -loglevel quiet -re -f lavfi \
    -i "sine=frequency=440:sample_rate=8000:duration=${3:-1}" -c:a pcm_mulaw -f rtp \
    -srtp_out_suite $S80 -srtp_out_params "$2" "srtp://192.0.2.1:$PORT?localrtpport=$1&pkt_size=184" >"$lab_dir/ffmpeg.log"
}
leg() { ctl --json sessions "$1" | jq -r "$2"; } # ID FILTER
holds() { [ "$(leg "$1" "$2")" = true ]; }

session follows "$LAB_A:40000" ,latch
send 40100 "$OTHER"
check "a stranger's packets do not verify" holds follows '.legs[0].drops.auth_failed > 20'
check "and move nothing" holds follows ".legs[0].latched == false and .legs[0].remote_rtp == \"$LAB_A:40000\""
check "and nothing is relayed" holds follows '.legs[1].packets_out == 0'
send 40200 "$KEY"
check "genuine packets from another port are relayed" holds follows '.legs[1].packets_out > 20 and .legs[1].packets_out == .legs[0].packets_in'
check "and the leg follows them" holds follows ".legs[0].latched == true and .legs[0].remote_rtp == \"$LAB_A:40200\""

session stays "$LAB_A:40000"
send 40300 "$KEY"
check "a leg that may not follow drops them by name" holds stays '.legs[0].drops.source_mismatch > 20 and .legs[1].packets_out == 0'

session learns - ,latch
send 40400 "$KEY"
check "a leg without an address learns it" holds learns ".legs[0].remote_rtp == \"$LAB_A:40400\""

before=$(ctl --json stats | jq '.["drop.port_unknown"]')
mkdir -p "$lab_dir/scan"
capture scan "$NS_A"
PORT=30000 send 40500 "$KEY"
check "a scan of ports is counted" [ "$(ctl --json stats | jq '.["drop.port_unknown"]')" -gt $((before + 20)) ]
sleep 0.3
check "and met with silence" sh -c "[ \"\$(tshark -r '$lab_dir/scan/wire.pcap' -Y 'icmp || udp.srcport == 30000' 2>/dev/null | wc -l)\" -eq 0 ]"

for remote in 127.0.0.1:4000 224.0.0.1:4000 0.0.0.0:4000 255.255.255.255:4000 192.0.2.1:4000 198.51.100.1:4000 192.0.2.9:0; do
  session "no-$remote" "$remote"
  check "media to $remote is refused: $(tail -1 "$lab_dir/no-$remote.err" | cut -c 16-90)" \
    sh -c "[ -s '$lab_dir/no-$remote.err' ] && ! [ -s '$lab_dir/no-$remote.json' ]"
done

session silent "$LAB_A:40000" ,latch,timeout=1500
send 40000 "$KEY"
no_silent() { ! ctl --json sessions silent >/dev/null 2>&1; }
check "a session whose media stops ends by itself" eventually 8 no_silent
check "the relay says so" in_log "$lab_dir/media.log" "session silent: no genuine media for 1500 ms"

session cut "$LAB_A:40000" ,latch
send 40000 "$KEY" 3 &
sleep 1
check "a session ends under traffic" sh -c "'$BUILD/relay/sallyctl' --socket '$lab_dir/run/relay.sock' end cut >/dev/null"
wait $!
check "and the relay is unharmed" sh -c "'$BUILD/relay/sallyctl' --socket '$lab_dir/run/relay.sock' status >/dev/null"
