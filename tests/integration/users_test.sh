#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Users in PostgreSQL, whose server is killed, started anew, and stopped in the middle.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
postgres=$ROOT/tests/tools/postgres.sh
mkdir -p "$lab_dir/pg"
chmod 755 "$lab_dir" "$lab_dir/pg"
end_server() {
  sh "$postgres" resume "$lab_dir/pg" 2>/dev/null
  sh "$postgres" kill "$lab_dir/pg"
}
trap 'status=$?; end_server; (exit $status); finish' EXIT
sh "$postgres" start "$lab_dir/pg" || fail "PostgreSQL did not start"

LAB_USERS="postgresql:///postgres?host=$lab_dir/pg&user=sallyport" LAB_DIGESTS="SHA-256" \
  LAB_SIP_LINES="  users_store: {cache_s: 4}" lab_config "memory: auto"
check "the table is made" "$BUILD/relay/sallyctl" --config "$lab_dir/sallyport.yaml" user init
for name in alice bob carol dave; do lab_user "$name" "of-$name"; done
lab_media
lab_sip
check "the server may come and go" env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 90 \
  python3 "$(dirname "$0")/users_test.py" "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem" "$postgres" "$lab_dir/pg"
check "that it is away is said" said_sip "new ones are told to come back"
check "and that it is back" said_sip "the users are back"
check "it is said once, not for each phone" test "$(grep -c 'told to come back' "$lab_dir/sip.log")" -le 3
check "and by nobody else" sh -c "! grep error '$lab_dir/sip.log' | grep -v 'told to come back' | grep -q postgresql"

end_server
kill "$SIP_PID"
wait "$SIP_PID" 2>/dev/null
: >"$lab_dir/sip.log"
lab_sip
check "it starts though its users are away" eventually 10 said_sip "users who were here"
