#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# kill -9 of sallyport-media under 100 calls, three times; started again at once, as systemd would. All
# calls are heard again within two seconds, without any request to a phone.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"
calls=100

# again: at once, without waiting for it
again() {
  kill -9 "$MEDIA_PID"
  wait "$MEDIA_PID" 2>/dev/null
  ip netns exec "$NS_R" "$BUILD/dataplane/sallyport-media" --config "$lab_dir/sallyport.yaml" \
    >>"$lab_dir/media.log" 2>&1 </dev/null &
  MEDIA_PID=$!
  lab_pids+=("$MEDIA_PID")
}

lab_up
lab_ca
lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_media
lab_sip

mkfifo "$lab_dir/said" "$lab_dir/told"
PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 120 python3 "$(dirname "$0")/restart_media_test.py" \
  "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem" "$BUILD/tests/tools/srtp_phones" "$calls" \
  <"$lab_dir/told" >"$lab_dir/said" 2>"$lab_dir/phones.log" &
PHONES_PID=$!
lab_pids+=("$PHONES_PID")
exec 5>"$lab_dir/told" 6<"$lab_dir/said"
while read -r -u 6 line; do
  echo "$line"
  [ "$line" = "killed?" ] || continue
  check "$calls sessions are there" [ "$(sessions)" -eq "$calls" ]
  again
  echo "yes" >&5
done
check "all calls were heard again, each time" wait "$PHONES_PID"
cat "$lab_dir/phones.log"
check "it was restarted three times" [ "$(grep -c "go on there" "$lab_dir/sip.log")" -eq 3 ]
check "no call was lost with it" [ "$(grep -c "can't take it up" "$lab_dir/sip.log")" -eq 0 ]
check "and all ended in the end" eventually 5 no_session
grep "go on there" "$lab_dir/sip.log"
check "its runtime folder is empty but for the sockets" [ "$(find "$lab_dir/run" -type f | wc -l)" -eq 0 ]
