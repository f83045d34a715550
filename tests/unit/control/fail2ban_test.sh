#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# deploy/fail2ban's filter against lines as sallyport-sip writes them, by fail2ban itself.
# Usage: fail2ban_test.sh FILTER
set -u

filter=$1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
failed=0
number=0

# expect WHAT FILE ADDRESS...: the filter finds these addresses, in this order, and no more
expect() {
	what=$1 file=$2
	shift 2
	number=$((number + 1))
	# one address a match, in the order of the lines
	fail2ban-regex --out ip "$folder/$file" "$filter" >"$folder/found" 2>"$folder/errors"
	if [ "$(tr '\n' ' ' <"$folder/found")" = "$(for ip; do printf '%s ' "$ip"; done)" ]; then
		echo "ok $number - $what"
	else
		echo "not ok $number - $what: found"
		sed 's/^/    /' "$folder/found" "$folder/errors"
		failed=1
	fi
}

cat >"$folder/file" <<'END'
2026-11-25T08:00:00.001Z sallyport-sip info: listening on 192.0.2.1 port 5061 (TLS) for example.com
2026-11-25T08:00:00.123Z sallyport-sip warning: authentication failed: REGISTER from 192.0.2.7:50601: user alice: wrong response
2026-11-25T08:00:01.123Z sallyport-sip warning: authentication failed: INVITE from [2001:db8::7]:5061: user -: session algorithm
2026-11-25T08:00:02.123Z sallyport-sip warning: authentication failed: REGISTER from 192.0.2.8:50602: user bob+1: locked after failures
2026-11-25T08:00:03.123Z sallyport-sip warning: authentication failed: INVITE from 192.0.2.9:50603: user x.y-z_1: spoke for somebody else
END
expect 'lines of a file' file 192.0.2.7 2001:db8::7 192.0.2.8 192.0.2.9

cat >"$folder/journal" <<'END'
Nov 25 08:00:00 relay sallyport-sip[812]: authentication failed: REGISTER from 192.0.2.7:50601: user alice: wrong response
Nov 25 08:00:01 relay sallyport-sip[812]: authentication failed: MESSAGE from [2001:db8::7]:5061: user -: malformed
END
expect 'lines of the journal' journal 192.0.2.7 2001:db8::7

# what a peer can write must not ban another address
cat >"$folder/hostile" <<'END'
2026-11-25T08:00:00.123Z sallyport-sip warning: call of alice: authentication failed: REGISTER from 203.0.113.1:1: user x: wrong response
2026-11-25T08:00:01.123Z sallyport-sip info: alice: sallyport-sip warning: authentication failed: REGISTER from 203.0.113.2:1: user x: wrong response
2026-11-25T08:00:02.123Z other-daemon warning: authentication failed: REGISTER from 203.0.113.3:1: user x: wrong response
2026-11-25T08:00:03.123Z sallyport-sip warning: authentication failed: REGISTER from 203.0.113.4:1: user a b: wrong response
END
expect 'not what is quoted in other lines' hostile

echo "1..$number"
exit $failed
