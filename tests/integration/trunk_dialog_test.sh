#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What happens in calls with a trunk, between test phones and a test trunk: challenges of requests in the
# call, transfers to the trunk; and calls that go on to a trunk by another interface.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
d=$lab_dir/tls
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=carrier.test" -keyout "$d/carrier.test.key" \
  -out "$d/carrier.test.csr" 2>/dev/null
echo 'subjectAltName=DNS:carrier.test' >"$d/carrier.test.ext"
openssl x509 -req -in "$d/carrier.test.csr" -CA "$d/ca.pem" -CAkey "$d/ca.key" -CAcreateserial -days 2 \
  -extfile "$d/carrier.test.ext" -out "$d/carrier.test.pem" 2>/dev/null
echo "mellon" >"$lab_dir/password"
chmod 640 "$lab_dir/password"
chgrp nogroup "$lab_dir/password"
mkdir "$lab_dir/records"
chown nobody "$lab_dir/records"
TRUNK=$LAB_A:5066 ELSEWHERE=203.0.113.10:5066
# another network, by a wire of its own
ip -n "$NS_R" link add vc type veth peer name eth1 netns "$NS_A"
ip netns exec "$NS_R" sysctl -qw net.ipv6.conf.vc.disable_ipv6=1
ip netns exec "$NS_A" sysctl -qw net.ipv6.conf.eth1.disable_ipv6=1
ip netns exec "$NS_A" ethtool -K eth1 tx off tso off gso off >/dev/null 2>&1
ip -n "$NS_R" link set vc up
ip -n "$NS_A" addr add "${ELSEWHERE%:*}/24" dev eth1
ip -n "$NS_A" link set eth1 up
LAB_MORE_INTERFACES="    - {name: carriers, device: 'net_af_xdp2,iface=vc', address: 203.0.113.1/24}"
LAB_SIP_LINES="  records: {path: $lab_dir/records/calls.jsonl}
  calls: {per_user: 1}
  peering: {address: 198.51.100.1, port: 5062}
  trunks:
    - name: carrier
      address: '$TRUNK'
      tls_name: carrier.test
      ping_s: 0
      calls_max: 1
      from_domain: sbc.demo.test
      trust_identity: true
      credentials: [{user: sally, password_file: $lab_dir/password}]
    - {name: elsewhere, address: '$ELSEWHERE', tls_name: carrier.test, ping_s: 0}
  routes:
    - {prefix: '+43', from: users, to: [carrier, elsewhere]}
    - {prefix: '+44', from: users, to: [elsewhere, carrier]}
    - {prefix: '+49', from: users, to: [carrier]}" lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_user carol absent99
lab_media
lab_sip

for part in challenge transfer elsewhere; do
  echo "== $part"
  check "$part" env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 100 \
    python3 "$(dirname "$0")/trunk_dialog_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$d" "$TRUNK" "$part" \
    "$ELSEWHERE" "$BUILD/relay/sallyctl" "$lab_dir/run/relay.sock"
  check "no session is left" eventually 5 no_session
done
# recorded FILTER: what jq says of some line
recorded() { jq -se "map(select(.transfers != [])) | $1" "$lab_dir/records/calls.jsonl" >/dev/null; }
check "the record tells of the transfer" recorded \
  'length == 1 and (.[0].transfers[0] | .kind == "blind" and .side == "caller" and .by.user == "alice" and
    .to.trunk == "carrier" and (.time | startswith("20")) and (.call_id | length > 20))'
check "and of who was there first" recorded '.[0].legs | map(.user) == ["alice", "bob"]'
check "no key and no password is in any log of ours" \
  sh -c "! grep -q 'inline:\|mellon' '$lab_dir/sip.log' '$lab_dir/media.log'"
