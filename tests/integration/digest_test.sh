#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Digest and TLS, from the outside.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
digest_config() { # PENALTIES
  LAB_DIGESTS="SHA-512-256, SHA-256, MD5" LAB_SIP_LINES="  nonce_lifetime_s: 2
  penalties: $1
  limits: {requests_per_second: 100000}" lab_config "memory: auto"
}
digest_config "{max_s: 0}"
lab_user alice wonderland
lab_media
lab_sip
check "digest holds in every way" env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 60 \
  python3 "$(dirname "$0")/digest_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem"
check "failures are logged with their source" said_sip "authentication failed: REGISTER from $LAB_A"
check "-sess is refused by name" said_sip "user -: session algorithm"
check "identity, too" said_sip "user alice: spoke for somebody else"
check "no password and no response is" sh -c "! grep -qE 'wonderland|guess|response=' '$lab_dir/sip.log'"

# the filter for fail2ban finds each of these lines, and no other
banned() {
  fail2ban-regex --out ip "$lab_dir/sip.log" "$ROOT/deploy/fail2ban/filter.d/sallyport-sip.conf" 2>/dev/null | grep -cx "$LAB_A"
}
check "fail2ban sees each of them" test "$(banned)" = "$(grep -c 'authentication failed: ' "$lab_dir/sip.log")"

kill "$SIP_PID"
wait "$SIP_PID" 2>/dev/null
digest_config "{user_free: 3, source_free: 6, first_s: 2, max_s: 60, forget_s: 600}"
lab_user bob builder
: >"$lab_dir/sip.log"
lab_sip
check "guessing has its price" env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 60 \
  python3 "$(dirname "$0")/penalty_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem"
check "and is told of" said_sip "user alice: locked after failures"

tls() { # ARGUMENTS...: does a handshake succeed?
  ip netns exec "$NS_A" timeout 10 openssl s_client -connect "$LAB_SIP:5061" -CAfile "$lab_dir/tls/ca.pem" \
    -verify_return_error "$@" </dev/null >"$lab_dir/tls.log" 2>&1
}
check "TLS 1.3" tls -tls1_3
check "TLS 1.2" tls -tls1_2
# the client is let do what the server must refuse
check "not TLS 1.1" sh -c "! ip netns exec $NS_A timeout 10 openssl s_client -connect $LAB_SIP:5061 -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null >/dev/null 2>&1"
check "not a CBC suite" sh -c "! ip netns exec $NS_A timeout 10 openssl s_client -connect $LAB_SIP:5061 -tls1_2 -cipher 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' </dev/null >/dev/null 2>&1"
