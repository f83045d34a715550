#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The messages of RFC 4475 and RFC 5118, and what docs/torture.md promises of each: torture_test.py says it.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

# the domain that most of those messages are for
LAB_DOMAIN=example.com
lab_up
lab_ca
trunk=$lab_dir/tls/trunk
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=trunk.test" -keyout "$trunk.key" \
  -out "$trunk.csr" 2>/dev/null
openssl x509 -req -in "$trunk.csr" -CA "$lab_dir/tls/ca.pem" -CAkey "$lab_dir/tls/ca.key" -CAcreateserial \
  -days 2 -extfile <(echo subjectAltName=DNS:trunk.test) -out "$trunk.pem" 2>/dev/null
LAB_SIP_LINES="  peering: {address: $LAB_SIP, port: 5062}
  limits: {message_s: 2, requests_per_second: 100000, connects_per_second: 10000}
  trunks: [{name: trunk, address: '$LAB_A:5999', tls_name: trunk.test, ping_s: 0, srtp: preferred}]" \
  lab_config "memory: auto"
for user in user j.user watson alice; do
  lab_user "$user" "secret of $user"
done
lab_media
lab_sip

check "the messages" env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 150 \
  python3 "$(dirname "$0")/torture_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls" "$SIP_PID" "$ROOT/docs/torture.md"
check "sallyport-sip is the one that was started" kill -0 "$SIP_PID"
check "no session is left" eventually 5 no_session
check "no key is in any log of ours" sh -c "! grep -q 'inline:' '$lab_dir/sip.log' '$lab_dir/media.log'"
