#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Users with a password, and trunks with a certificate, who try what they may not: hostile_test.py.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
for name in cheap.test trusted.test; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$lab_dir/tls/$name.key" \
    -out "$lab_dir/tls/$name.csr" 2>/dev/null
  openssl x509 -req -in "$lab_dir/tls/$name.csr" -CA "$lab_dir/tls/ca.pem" -CAkey "$lab_dir/tls/ca.key" \
    -CAcreateserial -days 2 -extfile <(echo "subjectAltName=DNS:$name") -out "$lab_dir/tls/$name.pem" 2>/dev/null
done
LAB_SIP_LINES="  peering: {address: $LAB_SIP, port: 5062}
  penalties: {max_s: 0}
  limits: {requests_per_second: 100000}
  trunks:
    - {name: cheap, address: '$LAB_A:5998', tls_name: cheap.test, ping_s: 0}
    - {name: trusted, address: '$LAB_A:5999', tls_name: trusted.test, ping_s: 0, trust_identity: true}" \
  lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_media
lab_sip

for part in media uris names proofs; do
  echo "== $part"
  check "$part" env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 60 \
    python3 "$(dirname "$0")/hostile_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls" "$part"
  check "no session is left" eventually 5 no_session
done
check "sallyport-sip is the one that was started" kill -0 "$SIP_PID"
check "no key is in any log of ours" sh -c "! grep -q 'inline:' '$lab_dir/sip.log' '$lab_dir/media.log'"
