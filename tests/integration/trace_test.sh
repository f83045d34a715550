#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Traces of a call, by HEP and in a pcap: every message is there, and no key and no proof of a password.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
mkdir "$lab_dir/trace"
chown nobody "$lab_dir/trace"
pcap=$lab_dir/trace/sip.pcap hep=$lab_dir/trace/hep.txt
LAB_SIP_LINES="  trace: {hep: \"udp:127.0.0.1:9060\", pcap: $pcap}" lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
ip netns exec "$NS_R" python3 "$ROOT/tests/integration/hep_receiver.py" 127.0.0.1 9060 "$hep" \
  >"$lab_dir/hep.log" 2>&1 &
HEP_PID=$!
lab_pids+=("$HEP_PID")
wait_for 10 in_log "$lab_dir/hep.log" listening
lab_media
lab_sip
phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000
phone_start bob "$NS_B"
BOB=$PHONE_PID
wait_for 10 phone_registered bob
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN"
ALICE=$PHONE_PID
check "a call is up" eventually 8 one_session
phone_stop "$ALICE"
check "and ends" eventually 5 no_session
sip_ctl() { "$BUILD/control/sallyctl-sip" --config "$lab_dir/sallyport.yaml" --json "$@"; }
check "it is on" eval 'sip_ctl trace | jq -e ".[0].on and .[0].lost == 0" >/dev/null'
check "and can be switched off" eval '! sip_ctl trace off | jq -e ".[0].on" >/dev/null'
before=$(stat -c %s "$pcap")
# what bob's phone says in leaving is not traced
phone_stop "$BOB"
check "then nothing more is written" [ "$(stat -c %s "$pcap")" -eq "$before" ]
kill "$SIP_PID"
wait "$SIP_PID" 2>/dev/null
kill -0 "$HEP_PID" 2>/dev/null
check "every datagram is sound HEP" [ $? = 0 ]
grep . "$lab_dir/hep.log" | grep -v listening

# what the phones themselves wrote down, who hide nothing
cat "$lab_dir/alice/log" "$lab_dir/bob/log" >"$lab_dir/phones.txt"
tshark -r "$pcap" -Y sip -T fields -e ip.src -e ip.dst -e sip.Request-Line -e sip.Status-Line >"$lab_dir/pcap.txt" 2>/dev/null
keys=$(grep -o 'inline:[A-Za-z0-9+/=]\{30,\}' "$lab_dir/phones.txt" | cut -d: -f2 | sort -u)
responses=$(grep -o 'response="[0-9a-f]\{32,\}"' "$lab_dir/phones.txt" | sort -u)
check "the phones said keys" [ "$(echo "$keys" | wc -l)" -ge 4 ]
check "the phones proved their passwords" [ "$(echo "$responses" | wc -l)" -ge 3 ]
# leaks FILE TEXTS
leaks() { grep -aqF "$2" "$1"; }
check "and that is found where it stands" eval 'leaks "$lab_dir/phones.txt" "$keys"'
for file in "$hep" "$pcap"; do
  check "no key is in ${file##*/}" eval "! leaks $file \"\$keys\""
  check "no proof of a password is in ${file##*/}" eval "! leaks $file \"\$responses\""
  check "the crypto lines are, without their keys" grep -aq 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\*\*\*\*' "$file"
  check "what is no secret is: codecs" grep -aq '^a=rtpmap:0 PCMU/8000' "$file"
  check "and who asks to be let in" grep -aq 'Authorization: Digest username="alice"' "$file"
done

# traced PATTERN FROM TO
traced() { awk -F'\t' -v from="$2" -v to="$3" -v line="$1" '$1 == from && $2 == to && ($3 $4) ~ line' "$lab_dir/pcap.txt" | wc -l; }
check "tshark reads the pcap as SIP" [ "$(wc -l <"$lab_dir/pcap.txt")" -ge 20 ]
check "both INVITEs of hers, and the one to bob" [ "$(traced ^INVITE "$LAB_A" "$LAB_SIP") $(traced ^INVITE "$LAB_SIP" "$LAB_B")" = "2 1" ]
check "each side's ACK and BYE" [ "$(traced '^(ACK|BYE)' "$LAB_A" "$LAB_SIP") $(traced '^(ACK|BYE)' "$LAB_SIP" "$LAB_B")" = "3 2" ]
check "HEP and pcap have the same messages" [ "$(grep -ac '^[0-9.]*:[0-9]* > [0-9.]*:[0-9]*$' "$hep")" = "$(wc -l <"$lab_dir/pcap.txt")" ]
check "the file is for its owner alone" [ "$(stat -c %a "$pcap")" = 600 ]
