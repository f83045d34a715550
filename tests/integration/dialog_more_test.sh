#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What must not happen in calls, between test phones: forged requests, phones that fall silent, what the
# configuration forbids.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
LAB_SIP_LINES="  redirects: refuse
  transfers: refuse" lab_config "memory: auto"
for user in alice bob carol dave erin frank; do
  lab_user "$user" "pass-$user"
done
lab_media
lab_sip

for part in forged moved refused silent; do
  echo "== $part"
  check "$part" env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 100 \
    python3 "$(dirname "$0")/dialog_more_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem" "$part"
  check "no session is left" eventually 5 no_session
done
check "no key is in any log of ours" sh -c "! grep -q 'inline:' '$lab_dir/sip.log' '$lab_dir/media.log'"
