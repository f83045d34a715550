#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What must not happen in calls, between test phones: forged requests, phones that fall silent, what the
# configuration forbids; and all of it while somebody sets the clock.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
mkdir "$lab_dir/records"
chown nobody "$lab_dir/records"
LAB_DIGESTS="SHA-512-256, SHA-256, MD5" LAB_SIP_LINES="  redirects: refuse
  records: {path: $lab_dir/records/calls.jsonl}
  penalties: {user_free: 1, first_s: 2}
  expires_min_s: 1
  challenge: proxy
  transfers: refuse" lab_config "memory: auto"
for user in alice bob carol dave erin frank; do
  lab_user "$user" "pass-$user"
done
lab_media
# its time of day is what this file says, and runs on as it does
echo "+0" >"$lab_dir/clock"
cat >"$lab_dir/sip" <<END
#!/bin/sh
exec env LD_PRELOAD="\$LD_PRELOAD $(echo /usr/lib/*/faketime/libfaketimeMT.so.1)" FAKETIME_TIMESTAMP_FILE=$lab_dir/clock \
  FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 ASAN_OPTIONS="\$ASAN_OPTIONS:verify_asan_link_order=0" \
  "$BUILD/control/sallyport-sip" "\$@"
END
chmod 755 "$lab_dir/sip"
LAB_SIP_PROGRAM=$lab_dir/sip lab_sip

for part in clock proxy forged moved refused silent; do
  echo "== $part"
  check "$part" env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 100 \
    python3 "$(dirname "$0")/dialog_more_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem" "$part" "$lab_dir/clock"
  check "no session is left" eventually 5 no_session
done
recorded() { [ "$(jq -s "$1" "$lab_dir/records/calls.jsonl")" = true ]; }
check "the records' durations are those of the calls" eventually 5 recorded \
  'length > 5 and all(.[]; .duration_s >= 0 and .duration_s < 60 and .setup_s < 60)'
check "and their times are the clock's" recorded 'map(.end[:13]) | unique | length > 1'
check "no key is in any log of ours" sh -c "! grep -q 'inline:' '$lab_dir/sip.log' '$lab_dir/media.log'"
