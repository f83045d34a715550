#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A real Kamailio as a trunk, on both sides: by mutual TLS, found by SRV, pinged, challenging us; calls from
# a user to a phone behind it, and back; the next trunk where one is dead.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

TRUNK=carrier.test

# certificate NAME: one of the demonstration CA's, in tls/NAME.pem and .key
certificate() {
  local d=$lab_dir/tls
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$d/$1.key" \
    -out "$d/$1.csr" 2>/dev/null
  printf 'subjectAltName=DNS:%s\n' "$1" >"$d/$1.ext"
  openssl x509 -req -in "$d/$1.csr" -CA "$d/ca.pem" -CAkey "$d/ca.key" -CAcreateserial -days 2 \
    -extfile "$d/$1.ext" -out "$d/$1.pem" 2>/dev/null
}

# dns_start: answers for carrier.test, as the relay's namespace sees the DNS
dns_start() {
  mkdir -p "/etc/netns/$NS_R"
  echo "nameserver 127.0.0.1" >"/etc/netns/$NS_R/resolv.conf"
  ip netns exec "$NS_R" dnsmasq --keep-in-foreground --no-resolv --no-hosts --bind-interfaces --user=root \
    --listen-address=127.0.0.1 --pid-file= --conf-file=/dev/null --local-ttl=1 \
    --naptr-record="$TRUNK,10,10,s,SIPS+D2T,,_sips._tcp.$TRUNK" \
    --srv-host="_sips._tcp.$TRUNK,nobody.$TRUNK,5999,5" --srv-host="_sips._tcp.$TRUNK,sbc.$TRUNK,5061,10" \
    --host-record="sbc.$TRUNK,$LAB_B" --host-record="nobody.$TRUNK,$LAB_B" \
    >"$lab_dir/dns.log" 2>&1 </dev/null &
  lab_pids+=("$!")
  wait_for 10 in_log "$lab_dir/dns.log" "started"
}

# kamailio_start: sets KAMAILIO_PID
kamailio_start() {
  ip netns exec "$NS_B" kamailio -f "$lab_dir/kamailio/kamailio.cfg" -DD -E -m 16 -M 4 \
    -Y "$lab_dir/kamailio" -w "$lab_dir/kamailio" >>"$lab_dir/kamailio/log" 2>&1 </dev/null &
  KAMAILIO_PID=$!
  lab_pids+=("$KAMAILIO_PID")
}
# what comes from us by TLS goes to the phone on this machine, once we have proved who we are; what comes
# from the phone goes to us
kamailio_config() {
  local d=$lab_dir/kamailio
  mkdir -p "$d"
  cat >"$d/tls.cfg" <<END
[server:default]
method = TLSv1.2+
certificate = $lab_dir/tls/$TRUNK.pem
private_key = $lab_dir/tls/$TRUNK.key
ca_list = $lab_dir/tls/ca.pem
verify_certificate = yes
require_certificate = yes
[client:default]
method = TLSv1.2+
certificate = $lab_dir/tls/$TRUNK.pem
private_key = $lab_dir/tls/$TRUNK.key
ca_list = $lab_dir/tls/ca.pem
verify_certificate = yes
require_certificate = yes
END
  cat >"$d/kamailio.cfg" <<END
#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
enable_tls=yes
auto_aliases=no
alias="$TRUNK"
listen=tls:$LAB_B:5061
listen=tls:$LAB_B:5063
listen=tls:$LAB_B:5065
listen=udp:$LAB_B:5060
mpath="$(echo /usr/lib/*/kamailio/modules)"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "auth.so"
loadmodule "tls.so"
modparam("tls", "config", "$d/tls.cfg")
modparam("auth", "qop", "auth")
request_route {
  xlog("L_WARN", "\$rm \$ru from \$si:\$sp (\$proto): \$tls_peer_subject_cn\n");
  if (has_totag()) {
    loose_route();
    t_relay();
    exit;
  }
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (is_method("OPTIONS")) {
    sl_send_reply("200", "OK");
    exit;
  }
  if (!is_method("INVITE|MESSAGE")) exit;
  record_route();
  if (\$proto == "tls") {
    if (\$rU == "+49404") {
      sl_send_reply("404", "Not Here");
      exit;
    }
    if (!pv_proxy_authenticate("$TRUNK", "mellon", "0")) {
      auth_challenge("$TRUNK", "1");
      exit;
    }
    consume_credentials();
    if (is_method("MESSAGE")) {
      sl_send_reply("202", "Accepted");
      exit;
    }
    \$ru = "sip:bob@$LAB_B:5070;transport=udp";
  } else {
    \$du = "sip:$LAB_PEERING;transport=tls";
  }
  t_relay();
}
END
}

lab_up
trap 'rm -rf "/etc/netns/$NS_R"; finish' EXIT
LAB_PEERING=198.51.100.1:5062
lab_ca
certificate "$TRUNK"
certificate stranger.test
certificate outward.test
certificate ours.test
echo "mellon" >"$lab_dir/password"
chmod 640 "$lab_dir/password"
chgrp nogroup "$lab_dir/password"
mkdir "$lab_dir/records"
chown nobody "$lab_dir/records"
LAB_SIP_LINES="  no_answer_s: 10
  records: {path: $lab_dir/records/calls.jsonl}
  peering: {address: 198.51.100.1, port: 5062}
  calls: {per_user: 1}
  trunks:
    - {name: dead, group: all, address: '$LAB_B:5998', tls_name: dead.test, ping_s: 0}
    - name: carrier
      group: all
      priority: 5
      address: $TRUNK
      ping_s: 1
      ping_failures: 2
      from_domain: sbc.demo.test
      trust_identity: true
      certificate: $lab_dir/tls/ours.test.pem
      private_key: $lab_dir/tls/ours.test.key
      credentials: [{user: sally, password_file: $lab_dir/password}]
    - {name: liar, address: '$LAB_B:5063', tls_name: liar.test, ping_s: 1, ping_failures: 1}
    - {name: mute, address: '$LAB_B:5064', tls_name: mute.test, ping_s: 0}
    - name: second
      address: '$LAB_B:5065'
      tls_name: $TRUNK
      ping_s: 0
      direction: out
      credentials: [{user: sally, password_file: $lab_dir/password}]
    - {name: outward, address: '$LAB_B:5997', tls_name: outward.test, ping_s: 0, direction: out}
  routes:
    - {prefix: '+49', from: users, to: [all]}
    - {prefix: '+43', from: users, to: [liar]}
    - {prefix: '+44', from: users, to: [mute, carrier]}
    - {prefix: '0049', from: users, to: [carrier], strip: 2, prepend: '+'}
    - {prefix: '+4930', from: carrier, to: [users], strip: 5}
    - {prefix: '+4940', from: carrier, to: [carrier]}
    - {prefix: '+4941', from: carrier, to: [second]}" lab_config "memory: auto"
lab_user alice wonderland
lab_user 100 hundred
dns_start
kamailio_config
lab_media
lab_sip
check "a trunk that is not there is out" eventually 10 said_sip "trunk carrier: $LAB_B:5061 is out"
kamailio_start
check "found by NAPTR and SRV, it comes in" eventually 10 said_sip "trunk carrier: $LAB_B:5061 is in again"
check "we showed it the certificate that is for it" eventually 5 in_log "$lab_dir/kamailio/log" "OPTIONS sip:$TRUNK .*(tls): ours.test"
trunks() { "$BUILD/control/sallyctl-sip" --socket "$lab_dir/run/sip.sock" trunks --json | jq -e "$1" >/dev/null; }
check "sallyctl shows it, one address out, one in" trunks \
  '.[] | select(.trunk == "carrier") | .state == "in" and .living == 1 and (.targets | map(.alive) | sort) == [false, true]'
check "and the other out, with the reason" trunks \
  '.[] | select(.trunk == "liar") | .state == "out" and (.targets[0].fault | length > 0)'
check "one with another name in its certificate stays out" said_sip "trunk liar: $LAB_B:5063 is out"
check "and hears nothing of us" sh -c "! grep -q 'OPTIONS sip:$LAB_B ' '$lab_dir/kamailio/log'"

AUTO="mediaenc=srtp-mand;answermode=auto"
phone_config alice wonderland "$LAB_A" 440
# the phone behind the trunk: it knows Kamailio alone, and no TLS
phone_config bob none "$LAB_B" 1000
echo "<sip:bob@$TRUNK;transport=udp>;regint=0;outbound=\"sip:$LAB_B:5060;transport=udp\";audio_codecs=PCMU/8000/1;$AUTO" \
  >"$lab_dir/bob/accounts"

bob_up() {
  phone_start bob "$NS_B"
  BOB=$PHONE_PID
  wait_for 10 phone_said bob "baresip is ready"
}
# call NAME NAMESPACE SECONDS URI: sets CALLER
call() {
  rm -rf "$lab_dir"/*/heard/*
  phone_start "$1" "$2" -e "/dial $4" -t "$3"
  CALLER=$PHONE_PID
}
over() {
  wait "$CALLER"
  check "the session is gone" eventually 3 no_session
}
asked() { grep -c "INVITE $1 .*tls" "$lab_dir/kamailio/log"; }
last_record() { grep "ended (" "$lab_dir/sip.log" | tail -1 | grep -q "$1"; }

echo "== out: the first trunk is dead, the second challenges us"
bob_up
call alice "$NS_A" 6 "sip:+4930123@$LAB_DOMAIN"
check "a session is at the relay" eventually 8 one_session
over
check "alice heard bob" tone_is alice 1000
check "bob heard alice" tone_is bob 440
check "the dead one was found out" said_sip "trunk dead: $LAB_B:5998 is out"
check "Kamailio challenged us and let us in" [ "$(asked "sip:+4930123@$TRUNK;user=phone")" = 2 ]
check "bob sees alice in the trunk's domain" phone_said bob "alice@sbc.demo.test"
check "and who she is, for we trust the trunk" phone_said bob "^P-Asserted-Identity: <sip:alice@sbc.demo.test>"
# recorded FILTER: what jq says of the last line
recorded() { tail -1 "$lab_dir/records/calls.jsonl" | jq -e "$1" >/dev/null; }
check "the record names the trunk, and how its line is protected" eventually 5 recorded \
  '.legs[0].user == "alice" and .legs[1].trunk == "carrier" and (.legs | all(.tls | startswith("TLSv1.")))'
check "the record says that she hung up" last_record "alice to +4930123 ended (the caller hung up)"

echo "== out: the callee hangs up"
call alice "$NS_A" 12 "sip:+4930123@$LAB_DOMAIN"
check "a session is at the relay" eventually 8 one_session
phone_stop "$BOB"
check "the session is gone" eventually 3 no_session
check "alice got the BYE" phone_said alice "^BYE "
phone_stop "$CALLER"
bob_up

echo "== out: the number is rewritten"
call alice "$NS_A" 4 "sip:0049-30-77@$LAB_DOMAIN;user=phone"
check "a session is at the relay" eventually 8 one_session
over
check "by strip and prepend" [ "$(asked "sip:+493077@$TRUNK;user=phone")" = 2 ]

echo "== out: the trunk knows the callee, and says no"
call alice "$NS_A" 4 "sip:+49404@$LAB_DOMAIN"
check "alice hears its 404" eventually 5 phone_said alice "SIP/2.0 404"
over

echo "== out: all trunks are out; nobody has the number"
call alice "$NS_A" 3 "sip:+431@$LAB_DOMAIN"
check "503" eventually 5 phone_said alice "SIP/2.0 503"
over
call alice "$NS_A" 3 "sip:+331@$LAB_DOMAIN"
check "404" eventually 5 phone_said alice "SIP/2.0 404"
over

echo "== out: one that takes connections and says nothing"
ip netns exec "$NS_B" nc -lk "$LAB_B" 5064 >/dev/null 2>&1 </dev/null &
lab_pids+=("$!")
call alice "$NS_A" 11 "sip:+441@$LAB_DOMAIN"
check "after a while the next one has the call" eventually 9 in_log "$lab_dir/kamailio/log" "INVITE sip:+441@$TRUNK"
check "a session is at the relay" one_session
over
check "the mute one is out" said_sip "trunk mute: $LAB_B:5064 is out"

echo "== in: to users, by the dial plan and by name"
phone_stop "$BOB"
phone_start alice "$NS_A"
ALICE=$PHONE_PID
phone_config 100 hundred "$LAB_A" 700
sed -i 's/:5070/:5080/' "$lab_dir/100/config"
phone_start 100 "$NS_A"
HUNDRED=$PHONE_PID
wait_for 10 phone_registered alice
wait_for 10 phone_registered 100
call bob "$NS_B" 5 "sip:+4930100@$TRUNK"
check "a session is at the relay" eventually 5 one_session
over
check "bob heard user 100" tone_is bob 700
check "user 100 heard bob" tone_is 100 1000
check "the record names the trunk" last_record "carrier to +4930100 ended (the caller hung up)"
call bob "$NS_B" 4 "sip:alice@$TRUNK"
check "a session is at the relay" eventually 5 one_session
over
call bob "$NS_B" 4 "sip:+49411@$TRUNK"
check "from trunk to trunk: a session is at the relay" eventually 5 one_session
over
check "the record names who called" last_record "carrier to +49411 ended (the caller hung up)"
call bob "$NS_B" 3 "sip:mallory@$TRUNK"
check "404 for nobody" eventually 5 phone_said bob "404"
over
call bob "$NS_B" 3 "sip:+49401@$TRUNK"
check "not back to the trunk that calls" eventually 5 phone_said bob "404"
over

echo "== limits: one call a user"
bob_up
phone_stop "$ALICE"
phone_stop "$HUNDRED"
call alice "$NS_A" 9 "sip:+49301@$LAB_DOMAIN"
FIRST=$CALLER
check "the first call is up" eventually 8 one_session
check "sallyctl counts it as the trunk's" trunks '.[] | select(.trunk == "carrier") | .calls == 1'
phone_start 100 "$NS_A" -e "/dial sip:alice@$LAB_DOMAIN" -t 4
check "a second one to her is 486" eventually 5 phone_said 100 "SIP/2.0 486"
phone_stop "$PHONE_PID"
CALLER=$FIRST
over
call alice "$NS_A" 4 "sip:+49301@$LAB_DOMAIN"
check "then she may call again" eventually 8 one_session
over

echo "== who may ask at the listener for trunks"
# ask METHOD URI [CERTIFICATE]
ask() {
  ip netns exec "$NS_B" timeout 20 python3 "$(dirname "$0")/peer_ask.py" 198.51.100.1 5062 "$lab_dir/tls/ca.pem" \
    "$1" "$2" ${3:+"$lab_dir/tls/$3.pem" "$lab_dir/tls/$3.key"}
}
check "nobody without a certificate" [ "$(ask INVITE "sip:alice@$LAB_DOMAIN")" = refused ]
check "no stranger with one of our authority" [ "$(ask INVITE "sip:alice@$LAB_DOMAIN" stranger.test)" = 403 ]
check "and it is logged" said_sip "INVITE from $LAB_B:.* its certificate is of no trunk that may call"
check "no trunk that only we may call" [ "$(ask INVITE "sip:alice@$LAB_DOMAIN" outward.test)" = 403 ]
check "nobody can register" [ "$(ask REGISTER "sip:alice@$LAB_DOMAIN" "$TRUNK")" = 403 ]
check "the trunk may call, and is told what is wrong" [ "$(ask INVITE "sip:mallory@$LAB_DOMAIN" "$TRUNK")" = 404 ]

echo "== numbers as URIs of their own (RFC 3966): user 100 is not registered"
check "tel:, global" [ "$(ask INVITE "tel:+49-30-100" "$TRUNK")" = 480 ]
check "tel:, local, with its context" [ "$(ask INVITE "tel:100;phone-context=+4930" "$TRUNK")" = 480 ]
check "and one that nobody has" [ "$(ask INVITE "tel:+4950100" "$TRUNK")" = 404 ]

echo "== MESSAGE"
check "from the trunk, to a user who is not there" [ "$(ask MESSAGE "tel:+49-30-100" "$TRUNK")" = 480 ]
check "from the trunk, to nobody" [ "$(ask MESSAGE "tel:+4950100" "$TRUNK")" = 404 ]
text_out() {
  PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$ROOT/tests/integration ip netns exec "$NS_A" timeout 30 python3 - <<END
from call_phone import CallPhone
alice = CallPhone("alice", "wonderland", "$LAB_SIP", "$LAB_DOMAIN", "$lab_dir/tls/ca.pem")
call, uri = alice.new_call(), "sip:+4930123@$LAB_DOMAIN"
def send(cseq, *proof):
    alice.send("MESSAGE %s SIP/2.0" % uri, alice.headers("MESSAGE", call, cseq, uri)
               + ["Content-Type: text/plain", *proof], "hello")
    return alice.response("MESSAGE")
assert send(2, alice.credentials(send(1), "MESSAGE", uri)).status == 202
END
}
check "from a user, to the trunk" text_out
check "which challenged us, and let us in" [ "$(grep -c "MESSAGE sip:+4930123@$TRUNK" "$lab_dir/kamailio/log")" = 2 ]

echo "== the trunk goes, and comes back"
kill "$KAMAILIO_PID"
wait "$KAMAILIO_PID" 2>/dev/null
again() { [ "$(grep -c "trunk carrier: $LAB_B:5061 is $1" "$lab_dir/sip.log")" -ge 2 ]; }
check "it is out" eventually 10 again out
kamailio_start
check "it is in again" eventually 10 again in
check "a change is logged, not each ping" [ "$(grep -c "trunk carrier: $LAB_B:5061" "$lab_dir/sip.log")" -le 6 ]

echo "== the trunk has no SRTP, and its policy says so"
kill "$SIP_PID"
wait "$SIP_PID"
sed -i "s/^      address: $TRUNK/      srtp: off\n&/" "$lab_dir/sallyport.yaml"
lab_sip
sed -i 's/mediaenc=srtp-mand;//' "$lab_dir/bob/accounts"
phone_stop "$BOB"
bob_up
wait_for 10 trunks '.[] | select(.trunk == "carrier") | .state == "in"'
transports() { [ "$(ctl --json sessions "$(ctl --json sessions | jq -r '.[0].id')" 2>/dev/null | jq -c '[.legs[].transport]')" = "$1" ]; }
call alice "$NS_A" 6 "sip:+4930123@$LAB_DOMAIN"
check "her leg is SRTP, that of the trunk plain RTP" eventually 8 transports '["srtp","rtp"]'
over
check "alice heard bob" tone_is alice 1000
check "bob heard alice" tone_is bob 440
phone_stop "$BOB"
phone_start alice "$NS_A"
ALICE=$PHONE_PID
wait_for 10 phone_registered alice
call bob "$NS_B" 5 "sip:alice@$TRUNK"
check "and when it calls" eventually 5 transports '["rtp","srtp"]'
over
check "alice heard bob" tone_is alice 1000
check "bob heard alice" tone_is bob 440
phone_stop "$ALICE"

check "no password and no key is in any log of ours" sh -c "! grep -q 'mellon\|inline:' '$lab_dir/sip.log' '$lab_dir/media.log'"
