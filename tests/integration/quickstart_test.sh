#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The quick start does what the README says: a good call, measured, and nothing left behind.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
SALLYPORT_BUILD=$(cd "${1:?the build folder}" && pwd)
export SALLYPORT_BUILD
TMPDIR=$(mktemp -d) # all that it makes lies here, so that we can see whether it cleans up
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
chmod 755 "$TMPDIR"
# shellcheck source-path=SCRIPTDIR source=../_check.sh
. "$(dirname "$0")/../_check.sh"

says() { jq -e "$1" "$TMPDIR/result.json" >/dev/null; }

"$root/deploy/quickstart.sh" --json "$TMPDIR/result.json" --seconds 4 </dev/null >"$TMPDIR/log" 2>&1
status=$?
tail -25 "$TMPDIR/log"
check "it ends 0" [ "$status" -eq 0 ]
check "call.ok" says '.call.ok == true'
check "TLS 1.2 or 1.3, verified" says '(.tls.version | test("^TLSv1.[23]$")) and .tls.verified'
check "each leg has a suite" says '[.legs[].suite] | length == 2 and all(startswith("AES_CM_128_HMAC_SHA1_"))'
check "packets in and out" says '.legs | all(.packets_in > 100 and .packets_out > 100)'
check "what comes in goes out" says '(.legs[0].packets_in - .legs[1].packets_out | fabs) <= 3 and (.legs[1].packets_in - .legs[0].packets_out | fabs) <= 3'
check "alice hears 1000 Hz, bob 440" says '(.legs[0].tone_hz_heard - 1000 | fabs) < 5 and (.legs[1].tone_hz_heard - 440 | fabs) < 5'
check "drops is an object of counters" says '.drops | type == "object" and length > 20 and all(type == "number")'
check "the wire decrypts with its own leg's keys only" says '.legs | all(.wire.own_leg_keys.decrypted > 0 and .wire.other_leg_keys.decrypted == 0 and (.wire.without_key.plain | not))'
check "no folder is left" [ -z "$(find "$TMPDIR" -mindepth 1 -maxdepth 1 -name 'sallyport.*')" ]
check "bad words are usage errors" sh -c '"$1" --nonsense >/dev/null 2>&1; [ $? -eq 2 ]' sh "$root/deploy/quickstart.sh"
check "--help teaches" sh -c '"$1" --help | grep -q "Exit status"' sh "$root/deploy/quickstart.sh"
exit $bad
