#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# linphone, Debian's console client, with files for a sound card: registers, calls baresip and is called,
# holds and is held, and transfers by joining two of its calls.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
names_known # linphone looks for a server's name in its certificate, and takes no address
lab_ca
lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_user carol absent99
chown nobody "$lab_dir/tls/server.key" # it is read anew below
lab_media
lab_sip

# linphone_config NAME PASSWORD HZ [CA]
linphone_config() {
  local d=$lab_dir/$1
  mkdir -p "$d/heard" "$d/.local/share/linphone" "$d/.config/linphone"
  sox -q -n -r 8000 -c 1 -b 16 "$d/tone.wav" synth 60 sine "$3" gain -6
  cat >"$d/linphonerc" <<END
[sip]
sip_port=0
sip_tcp_port=0
sip_tls_port=-2
use_ipv6=0
guess_hostname=1
register_only_when_network_is_up=0
root_ca=${4:-$lab_dir/tls/ca.pem}
verify_server_certs=1
verify_server_cn=1
media_encryption=srtp
media_encryption_mandatory=1
default_proxy=0
[video]
enabled=0
capture=0
display=0
[auth_info_0]
username=$1
passwd=$2
realm=$LAB_DOMAIN
domain=$LAB_DOMAIN
[proxy_0]
reg_proxy=<sip:$LAB_DOMAIN:5061;transport=tls>
reg_route=<sip:$LAB_DOMAIN:5061;transport=tls>
reg_identity=sip:$1@$LAB_DOMAIN
reg_expires=600
reg_sendregister=1
publish=0
END
}

# linphone_start NAME NAMESPACE: sets PHONE_PID; what it does is in its log, its keyboard is a pipe
linphone_start() {
  local d=$lab_dir/$1
  rm -f "$d/keys" "$d/log"
  mkfifo "$d/keys"
  (
    cd "$d/heard" || exit 1
    HOME=$d exec ip netns exec "$2" linphonec -c "$d/linphonerc" -a -d 5 -l "$d/log"
  ) <>"$d/keys" >"$d/screen" 2>&1 &
  PHONE_PID=$!
  lab_pids+=("$PHONE_PID")
  type_in "$1" "soundcard use files"
  type_in "$1" "record $d/heard/linphone-dec.wav"
  type_in "$1" "play $d/tone.wav"
}
type_in() { echo "$2" >"$lab_dir/$1/keys"; } # NAME LINE
on_screen() { in_log "$lab_dir/$1/screen" "$2"; } # NAME PATTERN

longer() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt "$2" ]; } # FILE BYTES
# hears NAME HZ: what this linphone records from now on grows by nearly a second, and ends with that tone
hears() {
  local file=$lab_dir/$1/heard/linphone-dec.wav size
  size=$(stat -c %s "$file" 2>/dev/null || echo 0)
  wait_for 6 longer "$file" $((size + 14000)) || return 1
  tail -c 8000 "$file" | sox -q -t raw -r 8000 -c 1 -b 16 -e signed-integer - "$lab_dir/$1/last.wav"
  is_tone "$lab_dir/$1/last.wav" "$2"
}
# on_both_legs: SRTP, by the suite that both know
on_both_legs() {
  local id
  id=$(ctl --json sessions | jq -r '.[0].id')
  ctl --json sessions "$id" | jq -e '.legs | all(.transport == "srtp" and .receive_suite == "AES_CM_128_HMAC_SHA1_80")' >/dev/null
}

linphone_config alice wonderland 440
linphone_start alice "$NS_A"
ALICE=$PHONE_PID
phone_config bob builder77 "$LAB_B" 1000
phone_door bob "$LAB_B" 4444
phone_config carol absent99 "$LAB_A" 700
phone_start bob "$NS_B"
BOB=$PHONE_PID
phone_start carol "$NS_A"
CAROL=$PHONE_PID
check "linphone registers" eventually 10 phone_said alice "moving from state .* to \[LinphoneRegistrationOk\]"
check "bob is there" eventually 10 phone_registered bob
check "carol is there" eventually 10 phone_registered carol

echo "== linphone calls baresip"
type_in alice "call sip:bob@$LAB_DOMAIN"
check "it is answered" eventually 8 on_screen alice "Media streams established with sip:bob@"
check "a session is at the relay" one_session
check "both legs are ciphered" on_both_legs
check "linphone hears bob" hears alice 1000
check "bob is sent its tone" sent bob "$NS_B" 440

echo "== it holds, and resumes"
type_in alice "pause"
check "bob is asked only to listen" eventually 5 directed bob recvonly
check "linphone has it on hold" eventually 5 on_screen alice "Call 1 with .* is now paused"
type_in alice "resume 1"
check "bob may talk again" eventually 5 directed bob sendrecv
check "linphone hears bob again" hears alice 1000
check "bob is sent its tone again" sent bob "$NS_B" 440

echo "== it is held, and resumed"
check "bob holds" tell "$LAB_B:4444" "$NS_B" hold
check "linphone sees it" eventually 5 on_screen alice "Call 1 has been paused by"
check "bob hears nothing" sent_nothing bob "$NS_B"
check "bob resumes" tell "$LAB_B:4444" "$NS_B" resume
check "linphone hears bob again" hears alice 1000
check "bob is sent its tone again" sent bob "$NS_B" 440

echo "== it calls another, and joins the two"
type_in alice "pause"
check "bob is on hold" eventually 5 directed bob recvonly
type_in alice "call sip:carol@$LAB_DOMAIN"
check "carol answers" eventually 8 on_screen alice "Media streams established with sip:carol@"
check "linphone hears carol" hears alice 700
type_in alice "transfer 1 --to-call 2"
check "linphone is told that it worked" eventually 5 on_screen alice "of call 1 has been transfer"
check "both of its calls end" eventually 5 on_screen alice "Call 1 with .* ended"
check "one session is left" eventually 5 one_session
check "carol is sent bob's tone" sent carol "$NS_A" 1000
check "bob is sent carol's" sent bob "$NS_B" 700
check "it is logged" said_sip "alice transfers it to carol"
phone_stop "$CAROL"
check "carol's end is the call's" eventually 5 no_session

echo "== baresip calls linphone"
check "bob calls" tell "$LAB_B:4444" "$NS_B" dial "sip:alice@$LAB_DOMAIN"
check "linphone answers" eventually 8 on_screen alice "Media streams established with .*bob@"
check "linphone hears bob" hears alice 1000
check "bob is sent its tone" sent bob "$NS_B" 440
type_in alice "terminate"
check "bob's phone gets a BYE" eventually 5 phone_said bob "^BYE "
check "the session is gone" eventually 5 no_session
type_in alice "quit"
wait "$ALICE"
check "it has unregistered" eventually 3 phone_said alice "LinphoneRegistrationCleared"
phone_stop "$BOB"

echo "== what it thinks of our certificate, and of SHA-256"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=another CA" \
  -keyout "$lab_dir/tls/other.key" -out "$lab_dir/tls/other.pem" 2>/dev/null
linphone_config dave x 440 "$lab_dir/tls/other.pem"
linphone_start dave "$NS_A"
check "it says nothing to a server that its CA does not vouch for" eventually 8 phone_said dave "Certificate verification failed"
check "really nothing" sh -c "! grep -q '^REGISTER ' '$lab_dir/dave/log'"
sed -i 's/digests: .*/digests: [SHA-256, SHA-512-256, MD5]/' "$lab_dir/sallyport.yaml"
kill -HUP "$SIP_PID"
check "the relay asks for SHA-256 first" eventually 5 said_sip "sip.digests: .* -> SHA-256"
linphone_config alice wonderland 440 # anew: it has kept a hash of MD5's
linphone_start alice "$NS_A"
check "linphone registers" eventually 10 phone_said alice "moving from state .* to \[LinphoneRegistrationOk\]"
check "by SHA-256" phone_said alice "^Authorization: .*algorithm=SHA-256"
check "no key is in any log of ours" sh -c "! grep -q 'inline:' '$lab_dir/sip.log' '$lab_dir/media.log'"
check "nothing was forged" [ "$(ctl --json stats | jq '.["drop.tx_full"] + .["drop.no_memory"] + .["drop.auth_failed"]')" = 0 ]
