#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# 100 calls run while both daemons are reloaded, sallyport-sip is restarted as in an upgrade, the metrics are
# scraped each second and the page's events are read. No packet is lost, by the far ends' and the relay's count.
# shellcheck source-path=SCRIPTDIR source=../integration/_init.sh
. "$(dirname "$0")/../integration/_init.sh"
calls=100
watch_s=10

lab_up
lab_ca
LAB_SIP_LINES="  no_answer_s: 10" lab_config "memory: auto"
printf 'web:\n  user: nobody\n' >>"$lab_dir/sallyport.yaml"
lab_user alice wonderland
lab_user bob builder77
chgrp nogroup "$lab_dir/tls/server.key" # read again by the user that it has become
chmod 640 "$lab_dir/tls/server.key"
lab_media
lab_sip

in_relay() { ip netns exec "$NS_R" "$@"; }
scrape() { in_relay curl -sS --max-time 2 http://127.0.0.1:9478/metrics; }
ip netns exec "$NS_R" "$BUILD/web/sallyport-web" --config "$lab_dir/sallyport.yaml" >"$lab_dir/web.log" 2>&1 </dev/null &
lab_pids+=("$!")
check "sallyport-web answers" eventually 10 sh -c "ip netns exec $NS_R curl -sSo '$lab_dir/first' http://127.0.0.1:9478/metrics 2>/dev/null"

# scrape_on: a line for each second: how many sessions the scrape tells of
scrape_on() {
  while :; do
    scrape 2>>"$lab_dir/scrape.log" | awk '$1 == "sallyport_sessions" { print $2; found = 1 } END { if (!found) print "none" }' \
      >>"$lab_dir/scrapes"
    sleep 1
  done
}
watch_begins() {
  scrape_on &
  lab_pids+=("$!")
  in_relay curl -sSN http://127.0.0.1:9478/events >"$lab_dir/events" 2>"$lab_dir/events.log" &
  EVENTS_PID=$!
  lab_pids+=("$EVENTS_PID")
  watched_from=$SECONDS
}
scraped() { [ "$(wc -l <"$lab_dir/scrapes")" -ge "$1" ]; }
views() { grep -c '^event: view' "$lab_dir/events"; }
drops() { ctl --all --json stats | jq -c 'with_entries(select((.key | startswith("drop.")) and .value > 0))'; }

begin() {
  check "$calls sessions are there" [ "$(sessions)" -eq "$calls" ]
  drops_before=$(drops)
  relayed_before=$(ctl --json stats | jq '."packets.relayed"')
  watch_begins
}
reload() {
  sed -i -e 's/no_answer_s: 10/no_answer_s: 11/' -e 's/^media:/media:\n  one_way_s: 9/' "$lab_dir/sallyport.yaml"
  check "both daemons are reloaded" \
    sh -c "'$BUILD/relay/sallyctl' --config '$lab_dir/sallyport.yaml' reload >'$lab_dir/reload.log' 2>&1"
  check "sallyport-media has changed" grep -q 'media.one_way_s: .* -> 9' "$lab_dir/reload.log"
  check "sallyport-sip has changed" grep -q 'sip.no_answer_s: 10 -> 11' "$lab_dir/reload.log"
}
restart() {
  kill "$SIP_PID"
  wait "$SIP_PID" 2>/dev/null
  cat "$lab_dir/sip.log" >>"$lab_dir/earlier.log"
  : >"$lab_dir/sip.log"
  lab_sip
  check "$calls calls go on in the new one" in_log "$lab_dir/sip.log" "$calls call(s) of an earlier life go on"
}
compare() { # SENT
  local relayed seconds
  check "the relay had each of the $1 packets that were sent" \
    [ "$(ctl --json sessions | jq '[.[].legs[].packets_in] | add')" -eq "$1" ]
  check "no counter of drops has changed" [ "$(drops)" = "$drops_before" ]
  [ "$(drops)" = "$drops_before" ] || echo "$drops_before, now $(drops)"
  seconds=$((SECONDS - watched_from))
  relayed=$(($(ctl --json stats | jq '."packets.relayed"') - relayed_before))
  check "$relayed packets were relayed in $seconds s" [ "$relayed" -ge $((seconds * calls * 90)) ]
  check "the $calls calls are there" [ "$(sessions)" -eq "$calls" ]
  check "$(wc -l <"$lab_dir/scrapes") scrapes" scraped $((seconds * 3 / 4))
  check "each told of $calls sessions" [ "$(sort -u "$lab_dir/scrapes")" = "$calls" ]
  check "$(views) events came" [ "$(views)" -ge $((seconds * 3 / 4)) ]
  check "the stream was never cut" kill -0 "$EVENTS_PID"
}

mkfifo "$lab_dir/said" "$lab_dir/told"
PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 80 python3 "$(dirname "$0")/hundred_test.py" \
  "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem" "$BUILD/tests/tools/srtp_phones" "$calls" \
  <"$lab_dir/told" >"$lab_dir/said" 2>"$lab_dir/phones.log" &
PHONES_PID=$!
lab_pids+=("$PHONES_PID")
exec 5>"$lab_dir/told" 6<"$lab_dir/said"
while read -r -u 6 word rest; do
  case $word in
    reload\?) begin && reload ;;
    restart\?) restart ;;
    watch\?) check "$watch_s s are watched" eventually 20 scraped "$watch_s" ;;
    sent) compare "$rest" ;;
    *)
      echo "$word $rest"
      continue
      ;;
  esac
  echo "done" >&5
done
check "the phones are content" wait "$PHONES_PID"
cat "$lab_dir/phones.log"
check "and no session is left" eventually 5 no_session
