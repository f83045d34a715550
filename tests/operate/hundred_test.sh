#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# 100 calls run while both daemons are reloaded, sallyport-sip is upgraded to another release, the metrics are
# scraped each second and the page is open in a browser. No packet is lost, by the far ends' and the relay's count.
# shellcheck source-path=SCRIPTDIR source=../integration/_init.sh
. "$(dirname "$0")/../integration/_init.sh"
calls=100
watch_s=10
integration=$(cd "$(dirname "$0")/../integration" && pwd)

lab_up
lab_ca
LAB_SIP_LINES="  no_answer_s: 10" lab_config "memory: auto"
printf 'web:\n  user: nobody\n' >>"$lab_dir/sallyport.yaml"
lab_user alice wonderland
lab_user bob builder77
chgrp nogroup "$lab_dir/tls/server.key" # read again by the user that it has become
chmod 640 "$lab_dir/tls/server.key"
mkdir "$lab_dir/sbin"
LAB_SIP_PROGRAM=$lab_dir/sbin/sallyport-sip
cp "$BUILD/control/sallyport-sip" "$LAB_SIP_PROGRAM"
lab_media
lab_sip

in_relay() { ip netns exec "$NS_R" "$@"; }
scrape() { in_relay curl -sS --max-time 2 http://127.0.0.1:9478/metrics; }
ip netns exec "$NS_R" "$BUILD/web/sallyport-web" --config "$lab_dir/sallyport.yaml" >"$lab_dir/web.log" 2>&1 </dev/null &
lab_pids+=("$!")
check "sallyport-web answers" eventually 10 sh -c "ip netns exec $NS_R curl -sSo '$lab_dir/first' http://127.0.0.1:9478/metrics 2>/dev/null"

ip netns exec "$NS_R" chromedriver --port=9515 >"$lab_dir/driver.log" 2>&1 </dev/null &
lab_pids+=("$!")
browser() { in_relay python3 "$integration/browser.py" "$lab_dir/browser.json" "$@"; }
sees() { browser until "$@"; } # SECONDS SCRIPT
wait_for 15 in_log "$lab_dir/driver.log" "started successfully" || fail "chromedriver does not start"
browser start 9515 "$lab_dir/profile" || fail "the browser does not start"
browser size 1440 1060
browser go http://127.0.0.1:9478/
both_up="document.querySelectorAll('.plane .good').length === 2"
all_shown="document.querySelectorAll('#calls tr').length === $calls"
all_up="[...document.querySelectorAll('#calls tr')].every((row) => row.cells[2].textContent === 'up')"
check "the page is open in a browser" sees 10 "$both_up"

# how many sessions a scrape tells of
sessions_told() {
  scrape 2>>"$lab_dir/scrape.log" | awk '$1 == "sallyport_sessions" { print $2; found = 1 } END { if (!found) print "none" }'
}
tells_of_all() { [ "$(sessions_told)" = "$calls" ]; }
# scrape_on: a line for each second
scrape_on() {
  while :; do
    sessions_told >>"$lab_dir/scrapes"
    sleep 1
  done
}
watch_begins() {
  # what a scrape tells may be a second old
  check "a scrape tells of $calls sessions" eventually 5 tells_of_all
  scrape_on &
  lab_pids+=("$!")
  check "the page shows $calls calls" sees 5 "$all_shown"
  # each view that comes tells its time there
  sees 1 "(window.views = 0, new MutationObserver(() => window.views++).observe(
    document.getElementById('updated'), {childList: true}), window.opened = performance.timeOrigin, true)"
  watched_from=$SECONDS
}
scraped() { [ "$(wc -l <"$lab_dir/scrapes")" -ge "$1" ]; }
release() { "$BUILD/relay/sallyctl" --config "$lab_dir/sallyport.yaml" sip stats --json | jq -r .release; }
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
# upgrade: as dpkg puts a new program in the place of one that runs, and as the package has it started then
upgrade() {
  local before
  before=$(release)
  cp "$BUILD/tests/operate/sallyport-sip" "$LAB_SIP_PROGRAM.dpkg-new"
  mv "$LAB_SIP_PROGRAM.dpkg-new" "$LAB_SIP_PROGRAM"
  check "release $before runs, though another is installed" [ "$(release)" = "$before" ]
  kill "$SIP_PID"
  wait "$SIP_PID" 2>/dev/null
  cat "$lab_dir/sip.log" >>"$lab_dir/earlier.log"
  : >"$lab_dir/sip.log"
  lab_sip
  check "$calls calls go on in the new one" in_log "$lab_dir/sip.log" "$calls call(s) of an earlier life go on"
  check "which is release $before.next" [ "$(release)" = "$before.next" ]
  check "the page says so, and shows $calls calls that are up" sees 10 \
    "/sip $before\\.next/.test(document.getElementById('releases').textContent) && $both_up && $all_shown && $all_up"
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
  [ "$(sort -u "$lab_dir/scrapes")" = "$calls" ] ||
    { sort "$lab_dir/scrapes" | uniq -c; cat "$lab_dir/scrape.log"; tail -5 "$lab_dir/web.log"; }
  check "the page had a view each second, and shows $calls calls" sees 1 "window.views >= $((seconds * 3 / 4)) && $all_shown"
  check "it was never loaded anew" sees 1 "window.opened === performance.timeOrigin"
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
    upgrade\?) upgrade ;;
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
