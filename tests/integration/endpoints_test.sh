#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SRTP endpoints that nobody here wrote, through sessions made by the relay API alone: ffmpeg and
# GStreamer, each suite on each leg.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_config "memory: auto"
lab_media
S80=AES_CM_128_HMAC_SHA1_80 S32=AES_CM_128_HMAC_SHA1_32

# session ID SUITE_A PORT_A SUITE_B PORT_B: sets KEY_A, KEY_B (what the far ends send with), RELAY_A,
# RELAY_B (the relay's ports) and SENT_A, SENT_B (what it sends with)
session() {
  KEY_A=$(openssl rand -base64 30) KEY_B=$(openssl rand -base64 30)
  "$BUILD/tests/tools/relay_session" "$lab_dir/run/relay.sock" "$1" \
    "access-a,$2,$KEY_A,$LAB_A:$3" "access-b,$4,$KEY_B,$LAB_B:$5" >"$lab_dir/$1.json" || exit 1
  RELAY_A=$(jq '.[0].port' "$lab_dir/$1.json") RELAY_B=$(jq '.[1].port' "$lab_dir/$1.json")
  SENT_A=$(jq -r '.[0].key' "$lab_dir/$1.json") SENT_B=$(jq -r '.[1].key' "$lab_dir/$1.json")
}

hears() { # FILE HZ
  "$BUILD/deploy/tools/tone_meter" "$1" >"$1.json" && cat "$1.json" &&
    jq -e --argjson hz "$2" '(.tone_hz // 0) > $hz - 3 and (.tone_hz // 0) < $hz + 3 and .purity > 0.9' "$1.json" >/dev/null
}
counts() { # ID LEG_IN LEG_OUT: all that came in went out, and nothing failed
  ctl --json sessions "$1" | jq -e --argjson i "$2" --argjson o "$3" \
    '.legs[$i].packets_in > 100 and .legs[$i].packets_in == .legs[$o].packets_out and ((.legs[$i].drops.auth_failed // 0) == 0)' >/dev/null
}

ffmpeg_pass() { # ID SUITE_A SUITE_B HZ
  session "$1" "$2" 40000 "$3" 41000
  cat >"$lab_dir/$1.sdp" <<EOF
v=0
o=- 0 0 IN IP4 198.51.100.1
s=-
c=IN IP4 $LAB_B
t=0 0
m=audio 41000 RTP/SAVP 0
a=crypto:1 $3 inline:$SENT_B
EOF
  ip netns exec "$NS_B" timeout 20 ffmpeg -nostdin -loglevel error -protocol_whitelist file,crypto,data,rtp,udp,srtp \
    -i "$lab_dir/$1.sdp" -t 2.5 -c:a pcm_s16le -y "$lab_dir/$1.wav" >"$lab_dir/$1.receiver.log" 2>&1 &
  local receiver=$!
  lab_pids+=("$receiver")
  listening() { ip netns exec "$NS_B" ss -lun | grep -q ":41000 "; }
  wait_for 10 listening
  ip netns exec "$NS_A" timeout 20 ffmpeg -nostdin -loglevel error -re -f lavfi -i "sine=frequency=$4:sample_rate=8000:duration=5" \
    -c:a pcm_mulaw -f rtp -srtp_out_suite "$2" -srtp_out_params "$KEY_A" \
    "srtp://192.0.2.1:$RELAY_A?localrtpport=40000&pkt_size=184" >"$lab_dir/$1.sender.log" 2>&1 &
  local sender=$!
  lab_pids+=("$sender")
  wait "$receiver"
  kill "$sender" 2>/dev/null
  wait "$sender" 2>/dev/null
  check "ffmpeg, $2 to $3: the tone is heard" hears "$lab_dir/$1.wav" "$4"
  check "ffmpeg, $2 to $3: all that came in went out" counts "$1" 0 1
  check "the session ends" sh -c "'$BUILD/relay/sallyctl' --socket '$lab_dir/run/relay.sock' end $1 >/dev/null"
}

hex() { printf '%s' "$1" | openssl base64 -d -A | od -An -tx1 | tr -d ' \n'; }
gst_suite() { case $1 in *_32) echo hmac-sha1-32 ;; *) echo hmac-sha1-80 ;; esac; }

# gst_send NAMESPACE OWN_PORT KEY SUITE RELAY_HOST RELAY_PORT HZ: five seconds of a tone
gst_send() {
  ip netns exec "$1" timeout -k 2 15 gst-launch-1.0 -q \
    audiotestsrc is-live=true num-buffers=40 "freq=$7" ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! \
    rtppcmupay ssrc=4711 min-ptime=20000000 max-ptime=20000000 ! \
    srtpenc "key=$(hex "$3")" rtp-cipher=aes-128-icm "rtp-auth=$(gst_suite "$4")" \
    rtcp-cipher=aes-128-icm rtcp-auth=hmac-sha1-80 ! udpsink "host=$5" "port=$6" "bind-port=$2" \
    >"$lab_dir/gst.send.log" 2>&1
}

# gst_receive NAMESPACE PORT KEY SUITE FILE
gst_receive() {
  ip netns exec "$1" timeout -s INT -k 3 20 gst-launch-1.0 -q -e \
    udpsrc "port=$2" timeout=2000000000 caps="application/x-srtp,media=(string)audio,clock-rate=(int)8000,encoding-name=(string)PCMU,payload=(int)0,ssrc=(uint)4711,srtp-key=(buffer)$(hex "$3"),srtp-cipher=(string)aes-128-icm,srtp-auth=(string)$(gst_suite "$4"),srtcp-cipher=(string)aes-128-icm,srtcp-auth=(string)hmac-sha1-80,roc=(uint)0" ! \
    srtpdec ! rtppcmudepay ! mulawdec ! audioconvert ! audio/x-raw,format=S16LE,rate=8000,channels=1 ! wavenc ! \
    filesink "location=$5" >"$lab_dir/gst.receive.log" 2>&1 &
  lab_pids+=("$!")
  receiving() { ip netns exec "$1" ss -lun | grep -q ":$2 "; }
  wait_for 10 receiving "$1" "$2"
}

gst_pass() { # ID SUITE_A SUITE_B HZ: from A to B, and then from B to A
  session "$1" "$2" 42000 "$3" 43000
  gst_receive "$NS_B" 43000 "$SENT_B" "$3" "$lab_dir/$1.b.wav"
  local receiver=$!
  gst_send "$NS_A" 42000 "$KEY_A" "$2" 192.0.2.1 "$RELAY_A" "$4"
  kill -INT "$receiver" 2>/dev/null
  wait "$receiver" 2>/dev/null
  check "GStreamer, $2 to $3: the tone is heard" hears "$lab_dir/$1.b.wav" "$4"
  check "GStreamer, $2 to $3: all that came in went out" counts "$1" 0 1
  gst_receive "$NS_A" 42000 "$SENT_A" "$2" "$lab_dir/$1.a.wav"
  receiver=$!
  gst_send "$NS_B" 43000 "$KEY_B" "$3" 198.51.100.1 "$RELAY_B" "$4"
  kill -INT "$receiver" 2>/dev/null
  wait "$receiver" 2>/dev/null
  check "GStreamer, and back: the tone is heard" hears "$lab_dir/$1.a.wav" "$4"
  check "GStreamer, and back: all that came in went out" counts "$1" 1 0
  ctl end "$1" >/dev/null
}

ffmpeg_pass f1 $S80 $S80 440
ffmpeg_pass f2 $S80 $S32 550
ffmpeg_pass f3 $S32 $S80 660
ffmpeg_pass f4 $S32 $S32 770
gst_pass g1 $S80 $S32 500
gst_pass g2 $S32 $S80 900
if [ "$bad" -ne 0 ]; then
  for log in "$lab_dir"/*.log; do echo "--- $log" && tail -5 "$log"; done
fi
check "no session is left" no_session
