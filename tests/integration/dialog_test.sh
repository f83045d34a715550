#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What happens in calls, between test phones: offers either way, forking, reliable provisional
# responses, session timers.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_user carol absent99
lab_media
lab_sip

for part in hold glare late again fork redirect reliable timers expiry methods transfer replace loop lost sips; do
  echo "== $part"
  check "$part" env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 100 \
    python3 "$(dirname "$0")/dialog_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem" "$part"
  check "no session is left" eventually 5 no_session
done
check "no key is in any log of ours" sh -c "! grep -q 'inline:' '$lab_dir/sip.log' '$lab_dir/media.log'"
