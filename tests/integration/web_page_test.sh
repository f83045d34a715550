#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The page in a real browser, while real calls run: they appear, change and go by themselves; keyboard alone; a
# phone's width; dark; a caller whose name is HTML; TLS and a login. With SALLYPORT_SHOTS=FOLDER its pictures are kept.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

here=$(cd "$(dirname "$0")" && pwd)
shots=${SALLYPORT_SHOTS:-}
lab_up
[ -n "$shots" ] || shots=$lab_dir
lab_ca
lab_config "memory: ordinary"
hash=$(echo correct-horse-battery | "$BUILD/relay/sallyctl" web-password)
cp "$lab_dir/sallyport.yaml" "$lab_dir/far.yaml"
echo "web: {user: nobody}" >>"$lab_dir/sallyport.yaml"
cat >>"$lab_dir/far.yaml" <<END
web:
  user: nobody
  address: 0.0.0.0
  port: 9480
  certificate: $lab_dir/tls/server.pem
  private_key: $lab_dir/tls/server.key
  login: {user: operator, hash: "$hash"}
END
lab_user bob builder77
lab_user mallory hunter22

in_relay() { ip netns exec "$NS_R" "$@"; }
browser() { in_relay python3 "$here/browser.py" "$lab_dir/browser.json" "$@"; }
sees() { browser until "$@"; } # SECONDS SCRIPT

background() { # NAME COMMAND...: in the relay's namespace
  local name=$1
  shift
  # not by a function, whose shell would be what is ended
  ip netns exec "$NS_R" "$@" >"$lab_dir/$name.log" 2>&1 </dev/null &
  lab_pids+=("$!")
}

lab_media
lab_sip
background web "$BUILD/web/sallyport-web" --config "$lab_dir/sallyport.yaml"
background far "$BUILD/web/sallyport-web" --config "$lab_dir/far.yaml"
background driver chromedriver --port=9515
wait_for 15 in_log "$lab_dir/driver.log" "started successfully" || fail "chromedriver does not start"
check "the browser starts" browser start 9515 "$lab_dir/profile"
browser size 1440 1060
browser go http://127.0.0.1:9478/
check "the page says that both daemons are up" sees 10 \
  "document.querySelectorAll('.plane .good').length === 2"
check "and that there are no calls" sees 5 "!document.getElementById('no-calls').hidden && document.querySelectorAll('#calls tr').length === 0"

# several calls: each caller is a phone of its own, with a name for people
number=0
callers=()
caller() { # USER DISPLAY TONE
  number=$((number + 1))
  lab_user "$1" "password-$1"
  phone_config "$1" "password-$1" "$LAB_A" "$3"
  sed -i "s/^sip_listen.*/sip_listen $LAB_A:$((5070 + 2 * number))/" "$lab_dir/$1/config"
  sed -i "s/^</\"$2\" </" "$lab_dir/$1/accounts"
  phone_start "$1" "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN" -t 150
  callers+=("$PHONE_PID")
}
phone_config bob builder77 "$LAB_B" 1000
sed -i 's/^call_max_calls.*/call_max_calls 12/' "$lab_dir/bob/config"
phone_start bob "$NS_B"
wait_for 15 phone_registered bob || fail "bob's phone did not register"
# a worse line for all who call from there: quality has something to tell. Not all kernels can
ip netns exec "$NS_A" tc qdisc add dev eth0 root netem delay 20ms 6ms loss 0.7% 2>/dev/null
caller carol "Carol Reyes" 440
check "a call appears by itself" sees 15 "document.querySelectorAll('#calls tr').length === 1"
check "with its caller, and that it is up" sees 10 \
  "/carol/.test(document.querySelector('#calls tr').textContent) && /up/.test(document.querySelector('#calls tr').textContent)"
caller dave "Dave Okafor" 500
caller erin "Erin Lindqvist" 600
caller frank "Frank Moreau" 700
check "four calls" sees 20 "document.querySelectorAll('#calls tr').length === 4"
check "each with the quality of both legs" sees 25 \
  "[...document.querySelectorAll('#calls tr')].every((row) => /^[1-4]\\./.test(row.cells[4].textContent) && /^[1-4]\\./.test(row.cells[7].textContent))"
check "throughput is shown, and drawn" sees 10 \
  "parseInt(document.querySelector('#tile-packets .value').textContent) > 0 && document.querySelector('#tile-packets polyline') !== null"
check "a worker's share, registrations, certificates" sees 5 \
  "document.querySelectorAll('#workers tr').length === 1 && document.querySelectorAll('#registrations tr').length >= 5 && document.querySelectorAll('#certificates tr').length === 1"
browser until 1 "(window.before = document.querySelector('#calls tr').cells[3].textContent, true)"
check "it changes by itself, each second" sees 5 "document.querySelector('#calls tr').cells[3].textContent !== window.before"
check "nothing was fetched from elsewhere" sees 1 "performance.getEntriesByType('resource').every((at) => at.name.startsWith(location.origin))"
sleep 8 # for the trends in the picture
browser shot "$shots/web.png"

# a name that is HTML stays text
mkfifo "$lab_dir/hold"
(PYTHONDONTWRITEBYTECODE=1 exec ip netns exec "$NS_A" python3 "$here/hostile_name.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem") \
  >"$lab_dir/mallory.log" 2>&1 <"$lab_dir/hold" &
MALLORY_PID=$!
lab_pids+=("$MALLORY_PID")
exec 7>"$lab_dir/hold"
check "a caller whose name is HTML is shown by it, as text" sees 15 \
  "[...document.querySelectorAll('#calls .sub')].some((at) => at.textContent.includes('<script>document.title'))"
check "so is a callee, among the failures" sees 10 "/img.*onerror/.test(document.getElementById('failures').textContent)"
check "and nothing of it has become part of the page" sees 1 \
  "document.querySelectorAll('main img, main script').length === 0 && document.title === 'Sallyport'"

# by keyboard alone: skip link, search, the call's own page, and back
browser go http://127.0.0.1:9478/
sees 10 "document.querySelectorAll('#calls tr').length === 5"
browser keys Tab
check "the first thing that Tab reaches skips to the content" sees 1 "document.activeElement.className === 'skip'"
browser keys Enter Tab
check "then the search" sees 2 "document.activeElement.id === 'find'"
browser keys erin
check "which finds one call" sees 2 "document.querySelectorAll('#calls tr').length === 1"
browser keys Tab
check "then that call" sees 2 "/erin/.test(document.activeElement.textContent) && document.activeElement.pathname.startsWith('/calls/')"
sleep 2.2 # two views later
check "the focus stays, though the table is drawn anew" sees 1 "document.activeElement.pathname !== undefined && document.activeElement.pathname.startsWith('/calls/')"
browser keys Enter
check "Enter opens its page, with both legs side by side" sees 10 \
  "location.pathname.startsWith('/calls/') && document.querySelectorAll('.legs thead th').length === 3 && /SHA1|AEAD/.test(document.querySelector('.legs').textContent)"
check "and both sides' names" sees 5 "/Erin Lindqvist \\(erin\\)/.test(document.getElementById('one-facts').textContent)"
sleep 6
browser shot "$shots/web-call.png"

# a phone's width: nothing is wider than it, on either page
fits="document.documentElement.scrollWidth <= 360 && [...document.querySelectorAll('main *')].every((at) => at.getBoundingClientRect().right <= 361 || at.closest('svg, .unseen'))"
browser size 360 740
check "the call's page fits a phone" sees 5 "$fits"
browser go http://127.0.0.1:9478/
sees 10 "document.querySelectorAll('#calls tr').length >= 4"
check "so does the overview" sees 5 "$fits"
browser shot "$shots/web-phone.png"
browser size 1440 1060

# dark: by the system's wish, or by the button
luminance="(Number(/\\d+/.exec(getComputedStyle(document.body).backgroundColor)[0]))"
browser colours light
check "light by the system's wish" sees 3 "$luminance > 200"
browser colours dark
check "dark by the system's wish" sees 3 "$luminance < 60"
browser shot "$shots/web-dark.png"
browser until 1 "(document.getElementById('theme').click(), true)"
check "light by the button" sees 3 "$luminance > 200"
browser go http://127.0.0.1:9478/
check "which is remembered" sees 3 "$luminance > 200"
browser until 1 "(document.getElementById('theme').click(), document.getElementById('theme').click(), true)"
browser colours light

# calls go, and so do daemons
exec 7>&-
wait "$MALLORY_PID"
phone_stop "${callers[1]}"
gone="![...document.querySelectorAll('#calls tr')].some((row) => /dave|mallory/.test(row.textContent))"
check "calls that have ended go by themselves" sees 15 "$gone && document.querySelectorAll('#calls tr').length === 3"
kill "$SIP_PID"
check "sallyport-sip is away: the page says so, and what to do" sees 20 \
  "/sallyport-sip at .* is it running/.test(document.getElementById('notice').textContent) && document.querySelector('#sip .bad') !== null"
check "and still shows the media" sees 5 "document.querySelector('#media .good') !== null"
lab_sip
check "and that it is back" sees 20 "document.getElementById('notice').hidden && document.querySelector('#sip .good') !== null"

# TLS and a login
browser go https://127.0.0.1:9480/
check "without a login, there is no page" sees 5 "document.getElementById('overview') === null"
browser go https://operator:wrong@127.0.0.1:9480/
check "with a wrong one, neither" sees 5 "document.getElementById('overview') === null"
browser go https://operator:correct-horse-battery@127.0.0.1:9480/
check "with the right one, it is there, and live" sees 15 \
  "location.protocol === 'https:' && document.querySelectorAll('.plane .good').length === 2"
browser stop
