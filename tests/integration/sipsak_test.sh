#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# sipsak, Debian's, on GnuTLS: pings, registrations with digest, a message to a phone; then its flood and its
# garbled requests, while two phones talk.
#
# What is Debian's sipsak 0.9.8.1's own: it verifies certificates at -v -v -v alone, takes TLS 1.3's session
# tickets for a failure to read (so 1.2 here), knows MD5 alone, and crashes in its message and invite modes before
# it has sent anything (so the message goes by -f).
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
names_known
lab_ca
lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_user carol absent99
lab_media
lab_sip
AUTHORITY=$lab_dir/tls/ca.pem
SIPSAK_AT=192.0.2.66 # not the address of a phone: what it spends is its own
ip -n "$NS_A" addr add "$SIPSAK_AT/24" dev eth0
printf '[overrides]\ndisabled-version = tls1.3\n' >"$lab_dir/gnutls"

# ask ARGUMENTS...: sipsak, what it says into $lab_dir/sipsak; 124 if it hangs
ask() {
  GNUTLS_SYSTEM_PRIORITY_FILE=$lab_dir/gnutls ip netns exec "$NS_A" timeout 8 sipsak -E tls \
    --tls-ca-cert "$AUTHORITY" -r 5061 -k "$SIPSAK_AT" -H "$SIPSAK_AT" -v -v -v "$@" >"$lab_dir/sipsak" 2>&1 </dev/null
}
refused() { ! ask "$@"; }
answered() { tr -d '\0' <"$lab_dir/sipsak" | grep -aq "$1"; }
register() { ask -U -u carol -s "sip:carol@$LAB_DOMAIN" "$@"; }
counted() { # COUNTER EXPRESSION
  "$BUILD/control/sallyctl-sip" --socket "$lab_dir/run/sip.sock" stats --json | jq -e ".[\"$1\"] // 0 | $2" >/dev/null
}

phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000
phone_start bob "$NS_B"
BOB=$PHONE_PID
check "bob registers" eventually 10 phone_registered bob
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN"
ALICE=$PHONE_PID
check "alice and bob talk" eventually 8 one_session

echo "== pings"
check "OPTIONS is answered" ask -s "sip:carol@$LAB_DOMAIN"
check "with 200, and what we can do" answered "^Allow: INVITE, ACK"
check "by TLS 1.2 with AES-GCM" answered "^Cipher: AES-256-GCM"
check "for who does not live here, too" ask -s "sip:nobody@$LAB_DOMAIN"
check "the way to us is one hop" ask -T -s "sip:carol@$LAB_DOMAIN"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=another CA" \
  -keyout "$lab_dir/tls/other.key" -out "$lab_dir/tls/other.pem" 2>/dev/null
AUTHORITY=$lab_dir/tls/other.pem
check "where its CA does not vouch for us, it asks nothing" refused -s "sip:carol@$LAB_DOMAIN"
check "and says why" answered "The certificate is not trustworthy"
AUTHORITY=$lab_dir/tls/ca.pem

echo "== registrations"
check "it registers, once it has proved who it is" register -a absent99 -x 600 -C "sip:carol@$SIPSAK_AT"
check "its contact is bound for as long as it asked" answered "^Contact: <sip:carol@$SIPSAK_AT>;expires=600"
check "as it was gone, so was the way to it" eventually 5 said_sip "carol: out of reach: the connection closed"
check "a question without a contact" register -a absent99 -C empty
check "15 seconds are too brief" refused -U -u carol -s "sip:carol@$LAB_DOMAIN" -a absent99 -x 15
check "and it is told what is not" answered "^Min-Expires: 60"
check "all contacts are taken off" register -a absent99 -x 0 -C star
check "a wrong password is refused" refused -U -u carol -s "sip:carol@$LAB_DOMAIN" -a wrong -C empty
check "with 401" answered "^SIP/2.0 401"
check "and logged" said_sip "authentication failed: REGISTER from $SIPSAK_AT:.* user carol: wrong response"

echo "== a message to a phone"
cat >"$lab_dir/message" <<END
MESSAGE sip:bob@$LAB_DOMAIN SIP/2.0
From: <sip:carol@$LAB_DOMAIN>;tag=1
To: <sip:bob@$LAB_DOMAIN>
Call-ID: message@sipsak
CSeq: 1 MESSAGE
Max-Forwards: 70
Content-Type: text/plain
Content-Length: 18

a word from sipsak
END
check "bob's phone takes it" ask -f "$lab_dir/message" -u carol -a absent99 -s "sip:bob@$LAB_DOMAIN"
check "and shows it" eventually 3 phone_said bob "a word from sipsak"

echo "== a flood, and garbled requests"
before=$(ctl --json stats | jq '.["drop.auth_failed"] + .["drop.no_memory"]')
check "5000 requests without a wait" ask -F -e 5000 -s "sip:carol@$LAB_DOMAIN"
for round in $(seq 12); do
  # it ends by itself when one is answered by nothing: where lengths or line ends were hit
  ask -R -t 300 -s "sip:carol@$LAB_DOMAIN"
  [ "$?" -ne 124 ] || echo "round $round: cut off"
done
check "some were no SIP, and their connections were cut off" counted cut.broken ". > 0"
check "sallyport-sip is the same" kill -0 "$SIP_PID"
check "a ping is answered" eventually 15 ask -s "sip:carol@$LAB_DOMAIN"
check "carol can register" register -a absent99 -x 60
check "the call goes on" one_session
check "nothing of it was lost or forged" [ "$(ctl --json stats | jq '.["drop.auth_failed"] + .["drop.no_memory"]')" = "$before" ]
phone_stop "$ALICE"
phone_stop "$BOB"
check "and ends" eventually 5 no_session
check "bob heard alice" tone_is bob 440
check "alice heard bob" tone_is alice 1000
