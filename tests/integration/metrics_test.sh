#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Metrics: a scrape while a call runs says what sallyctl says; Prometheus's own judge finds no fault
# with it; it goes on, and says so, while either daemon is away; and who may not look does not.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
lab_config "memory: ordinary"
lab_user alice wonderland
lab_user bob builder77
printf 'web:\n  user: nobody\n  timeout_s: 4\n' >>"$lab_dir/sallyport.yaml"

web_start() { # CONFIG
  ip netns exec "$NS_R" "$BUILD/web/sallyport-web" --config "$1" >>"$lab_dir/web.log" 2>&1 </dev/null &
  WEB_PID=$!
  lab_pids+=("$WEB_PID")
}
in_relay() { ip netns exec "$NS_R" "$@"; }
get() { in_relay curl -sS --max-time 5 "$@"; }
scrape() { get http://127.0.0.1:9478/metrics >"$lab_dir/scrape"; }
# sample NAME_AND_LABELS: its value in the last scrape
sample() { awk -v want="$1" 'index($0, want " ") == 1 { print $NF; found = 1 } END { exit !found }' "$lab_dir/scrape"; }
sample_is() { scrape && [ "$(sample "$1")" = "$2" ]; }
code() { get -o /dev/null -w '%{http_code}' "$@"; }
code_is() { # CODE CURL_ARGUMENT...
  local want=$1 got
  shift
  got=$(code "$@")
  [ "$got" = "$want" ] || { echo "status $got, not $want"; return 1; }
}

# both daemons away
web_start "$lab_dir/sallyport.yaml"
check "it answers, though both daemons are away" eventually 10 scrape
check "and says so of sallyport-media" sample_is 'sallyport_up{plane="media"}' 0
check "and of sallyport-sip" sample_is 'sallyport_up{plane="sip"}' 0
check "the JSON says why, and what to do" grep -q "is it running" <(get http://127.0.0.1:9478/api/status)
check "it runs without privilege" [ "$(awk '/^Uid/ { print $2 }' "/proc/$WEB_PID/status")" = "$(id -u nobody)" ]
check "and without any capability" grep -q '^CapEff:.0000000000000000$' "/proc/$WEB_PID/status"

lab_media
lab_sip
check "sallyport-media is seen" eventually 5 sample_is 'sallyport_up{plane="media"}' 1
check "sallyport-sip is seen" eventually 5 sample_is 'sallyport_up{plane="sip"}' 1

phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000
phone_start bob "$NS_B"
wait_for 15 phone_registered bob || fail "bob's phone did not register"
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN" -t 60
ALICE_PID=$PHONE_PID
check "the call is seen" eventually 10 sample_is sallyport_calls 1
check "its session, too" eventually 5 sample_is sallyport_sessions 1
check "and two registrations" sample_is sallyport_registrations 2
heard_well() {
  scrape
  [ "$(sample 'sallyport_leg_mos_count{transport="srtp",leg="a"}' || echo 0)" -ge 1 ] &&
    [ "$(sample 'sallyport_leg_mos_count{transport="srtp",leg="b"}' || echo 0)" -ge 1 ]
}
check "both legs' quality is in the histograms" eventually 25 heard_well
check "a worker's busy share is known" grep -Eq '^sallyport_worker_busy_ratio\{worker="0"\} 0\.[0-9]' "$lab_dir/scrape"

# numbers agree: what sallyctl says before and after a scrape encloses it
between() { # METRIC SALLYCTL_COUNTER
  local before after at
  before=$(ctl --json stats | jq ".\"$2\"")
  sleep 1.1 # a snapshot is good for a second
  scrape
  after=$(ctl --json stats | jq ".\"$2\"")
  at=$(sample "$1")
  [ "$before" -gt 0 ] && [ "$at" -ge "$before" ] && [ "$at" -le "$after" ] ||
    { echo "$1: $at is not between $before and $after"; return 1; }
}
check "packets relayed agree with sallyctl" between sallyport_packets_relayed_total packets.relayed
check "an interface's bytes agree with sallyctl" between \
  'sallyport_interface_transmit_bytes_total{interface="access-b"}' interface.access-b.media_tx_bytes
sip_agrees() { # METRIC SALLYCTL_SIP_COUNTER
  scrape && [ "$(sample "$1")" = "$("$BUILD/relay/sallyctl" sip --socket "$lab_dir/run/sip.sock" --json stats | jq ".\"$2\"")" ]
}
check "TLS handshakes agree with sallyctl sip" sip_agrees 'sallyport_tls_handshakes_total{result="accepted"}' tls.accepted
check "logins agree with sallyctl sip" sip_agrees 'sallyport_logins_total{result="right"}' logins.right
days_left() {
  local at
  at=$(sample 'sallyport_certificate_expiry_timestamp_seconds{section="sip"}') &&
    [ "$at" -gt "$(date +%s)" ] && [ "$at" -le $(($(date +%s) + 2 * 86400)) ]
}
check "the certificate's end is told" days_left
check "promtool finds no fault with names, types and help" promtool check metrics <"$lab_dir/scrape"
every_reason() {
  [ "$(grep -c '^sallyport_dropped_packets_total{' "$lab_dir/scrape")" -eq "$(ctl --all --json stats | jq '[keys[] | select(startswith("drop."))] | length')" ]
}
check "each drop reason has its sample" every_reason
check "no label tells one call or one user from another" bash -c "! grep -E 'alice|bob|[0-9a-f]{32}' '$lab_dir/scrape'"

# scrapes of one second share a snapshot, however many
snapshot_of() { sample sallyport_snapshot_timestamp_seconds; }
share() {
  local i
  rm -f "$lab_dir/stamps"
  for i in $(seq 20); do
    scrape
    snapshot_of >>"$lab_dir/stamps"
  done
  [ "$(sort -u "$lab_dir/stamps" | wc -l)" -le 3 ]
}
check "twenty scrapes at once ask the daemons hardly more than once" share

# only reading, only for who is meant
check "POST is refused" code_is 405 -X POST http://127.0.0.1:9478/metrics
check "a body is refused" code_is 413 -X GET --data x=y http://127.0.0.1:9478/metrics
check "HEAD is answered" code_is 200 -I http://127.0.0.1:9478/metrics
check "a foreign host name (DNS rebinding) is refused" code_is 403 -H 'Host: evil.example' http://127.0.0.1:9478/metrics
check "what is not there is 404" code_is 404 http://127.0.0.1:9478/../etc/passwd
check "headers beyond all measure are refused" code_is 431 -H "X: $(printf 'y%.0s' {1..60000})" http://127.0.0.1:9478/metrics
check "it tells the browser to fetch nothing from elsewhere" \
  bash -c "ip netns exec $NS_R curl -sSI http://127.0.0.1:9478/ | grep -qi \"^content-security-policy: default-src 'none'\""

# who sends half a request, and no more, is cut off
half() {
  in_relay timeout 25 bash -c 'exec 3<>/dev/tcp/127.0.0.1/9478; printf "GET / HTTP/1.1\r\n" >&3; for i in 1 2 3 4 5 6 7 8 9; do sleep 2; printf "X-%s: y\r\n" "$i" >&3 || exit 0; read -r -t 0.1 line <&3; [ $? -eq 1 ] && exit 0; done; exit 1' 2>/dev/null
}
check "a request that trickles in is cut off" half
check "and counted" bash -c "[ '$(scrape && sample sallyport_web_connections_cut_total)' -ge 1 ]"

# either daemon goes away, and comes back
phone_stop "$ALICE_PID"
check "the call's result is counted" eventually 10 sample_is 'sallyport_calls_ended_total{result="completed"}' 1
kill "$SIP_PID"
check "sallyport-sip is away: it says so" eventually 10 sample_is 'sallyport_up{plane="sip"}' 0
check "and goes on telling of sallyport-media" sample_is 'sallyport_up{plane="media"}' 1
lab_sip
check "sallyport-sip is back" eventually 10 sample_is 'sallyport_up{plane="sip"}' 1
kill -STOP "$SIP_PID"
check "one that hangs is away, too" eventually 10 sample_is 'sallyport_up{plane="sip"}' 0
kill -CONT "$SIP_PID"
check "and back when it goes on" eventually 10 sample_is 'sallyport_up{plane="sip"}' 1

# with TLS and a login, elsewhere than on loopback
hash=$(echo correct-horse-battery | "$BUILD/relay/sallyctl" web-password)
sed '/^web:/,$d' "$lab_dir/sallyport.yaml" >"$lab_dir/far.yaml"
cat >>"$lab_dir/far.yaml" <<EOF
web:
  user: nobody
  address: 0.0.0.0
  port: 9480
  certificate: $lab_dir/tls/server.pem
  private_key: $lab_dir/tls/server.key
  login: {user: operator, hash: "$hash"}
  metrics: {address: 127.0.0.1, port: 9481}
EOF
check "--check likes it" "$BUILD/web/sallyport-web" --check --config "$lab_dir/far.yaml"
web_start "$lab_dir/far.yaml"
far=(--cacert "$lab_dir/tls/ca.pem" --resolve "$LAB_DOMAIN:9480:127.0.0.1")
near=(--cacert "$lab_dir/tls/ca.pem" --resolve "$LAB_DOMAIN:9481:127.0.0.1" -u operator:correct-horse-battery)
page=https://$LAB_DOMAIN:9480
check "with TLS, the right login is let in" eventually 10 code_is 200 "${far[@]}" -u operator:correct-horse-battery "$page/api/status"
check "without a login, nobody is" code_is 401 "${far[@]}" "$page/api/status"
check "with a wrong one, neither" code_is 401 "${far[@]}" -u operator:wrong "$page/"
# shellcheck disable=SC2086 # options
silent() { ! get $1 >/dev/null 2>&1; }
check "in clear, nothing is answered" silent http://127.0.0.1:9480/
check "TLS 1.1 is refused" silent "--tls-max 1.1 -k https://127.0.0.1:9480/"
check "metrics have a listener of their own" code_is 200 "${near[@]}" "https://$LAB_DOMAIN:9481/metrics"
check "which has nothing else" code_is 404 "${near[@]}" "https://$LAB_DOMAIN:9481/"
check "and the page's has none" code_is 404 "${far[@]}" -u operator:correct-horse-battery "$page/metrics"

# a new certificate on SIGHUP; a bad one changes nothing
serial() { in_relay openssl s_client -connect 127.0.0.1:9480 </dev/null 2>/dev/null | openssl x509 -noout -serial; }
before=$(serial)
chmod 644 "$lab_dir/tls/server.key" # nobody has to read it now
echo nonsense >"$lab_dir/tls/server.pem"
kill -HUP "$WEB_PID"
check "a bad certificate on SIGHUP is refused" eventually 5 in_log "$lab_dir/web.log" "nothing is changed"
check "and the old one goes on" [ "$(serial)" = "$before" ]
openssl x509 -req -in "$lab_dir/tls/server.csr" -CA "$lab_dir/tls/ca.pem" -CAkey "$lab_dir/tls/ca.key" -set_serial 4711 \
  -days 2 -extfile "$lab_dir/tls/server.ext" -out "$lab_dir/tls/server.pem" 2>/dev/null
kill -HUP "$WEB_PID"
new_serial() { [ "$(serial)" = "serial=1267" ]; }
check "a good one is taken" eventually 5 new_serial
sed -i -e 's/port: 9480/port: 9490/' -e "s/{user: operator,/{user: another,/" "$lab_dir/far.yaml"
kill -HUP "$WEB_PID"
check "what takes a restart is named, with both values" eventually 5 in_log "$lab_dir/web.log" "web.port: 9480 -> 9490: takes a restart of sallyport-web"
check "and nothing else of that file is in force" code_is 200 "${far[@]}" -u operator:correct-horse-battery "$page/api/status"
sed -i 's/port: 9490/port: 9480/' "$lab_dir/far.yaml"
kill -HUP "$WEB_PID"
check "another login is told" eventually 5 in_log "$lab_dir/web.log" "web.login.user: operator -> another"
check "and in force" eventually 5 code_is 200 "${far[@]}" -u another:correct-horse-battery "$page/api/status"
check "the old one is not" code_is 401 "${far[@]}" -u operator:correct-horse-battery "$page/api/status"
kill "$WEB_PID"
wait "$WEB_PID"
check "SIGTERM ends it with status 0" [ $? -eq 0 ]
