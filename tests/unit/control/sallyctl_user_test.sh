#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# sallyctl-user from the outside: what it prints, what it returns, what it refuses.
# Usage: sallyctl_user_test.sh SALLYCTL_USER EXAMPLE_CONFIGURATION
set -u

program=$1
example=$2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
store=$folder/users.db
failed=0
number=0

# expect WHAT EXIT-CODE PATTERN COMMAND...: runs it, compares the exit code, and looks for the pattern
# (grep -E) in what it printed on both channels.
expect() {
	what=$1 code=$2 pattern=$3
	shift 3
	number=$((number + 1))
	"$@" >"$folder/out" 2>&1 </dev/null
	got=$?
	if [ $got -ne "$code" ] || ! grep -Eq -- "$pattern" "$folder/out"; then
		echo "not ok $number - $what: exit $got, not $code, or no \"$pattern\" in:"
		sed 's/^/    /' "$folder/out"
		failed=$((failed + 1))
	else
		echo "ok $number - $what"
	fi
}

# with_input TEXT COMMAND...: the command, with the text (printf's) as its standard input
with_input() {
	text=$1
	shift
	# shellcheck disable=SC2059
	printf "$text" | "$@"
}

user() { "$program" "$@" --users "$store"; }

expect 'help teaches' 0 'sallyctl user add alice' "$program" --help
expect 'nothing to do' 2 'add, del, import, init or list' "$program"
expect 'no such command' 2 'no such command' "$program" frobnicate
expect 'no such option' 2 'help' "$program" list --frobnicate
expect 'no name' 2 'which user' user add
expect 'two names' 2 'too many words' user del a b
expect 'password as a word' 2 'never given on the command line' user add alice secret
expect 'list takes no name' 2 'too many words' user list alice

expect 'list without a store' 3 "$store: there is no such file" user list
expect 'del without a store' 3 'no such file' user del alice --realm r.example
expect 'no password' 1 'password is empty' user add alice --realm r.example
[ ! -e "$store" ] || { echo "not ok - a refused add made a store"; failed=$((failed + 1)); }
expect 'add' 0 '^added alice in r.example$' with_input 'secret\nmore\n' user add alice --realm r.example
expect 'mode of the store' 0 '^640$' stat -c %a "$store"
expect 'add again' 1 'exists already' with_input 'secret\n' user add alice --realm r.example
expect 'bad name' 1 'A-Z' with_input 'secret\n' user add 'a b' --realm r.example
expect 'bad realm' 1 'host name' with_input 'secret\n' user add bob --realm 'a"b'
expect 'control character' 1 'control characters' with_input 'a\001b\n' user add bob --realm r.example
expect 'NUL' 1 'control characters' with_input 'a\000b\n' user add bob --realm r.example
expect 'too long' 1 '256' with_input '%0300d\n' user add bob --realm r.example
printf 'from a file\r\nsecond line\n' >"$folder/password"
expect 'password file' 0 '^added bob' user add bob --realm r.example --password-file "$folder/password"
expect 'no password file' 1 "$folder/no: No such" user add eve --realm r.example -p "$folder/no"
expect 'list' 0 '^bob +r.example +20[0-9][0-9]-[0-9-]+T[0-9:]+Z$' user list
expect 'list as JSON' 0 '"name": "alice"' user list --json
expect 'JSON is JSON' 0 '^2 alice r.example$' python3 -c "
import json, subprocess, sys
users = json.loads(subprocess.check_output(sys.argv[1:]))
print(len(users), users[0]['name'], users[0]['realm'])" "$program" --json list --users "$store"

# the hash is of name:realm:password: of the first line alone, without its CR
wanted=$(printf 'bob:r.example:from a file' | md5sum | cut -d ' ' -f 1)
expect 'hash' 0 "^$wanted\$" python3 -c "
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute(
    'SELECT ha1_md5 FROM users WHERE name = \"bob\"').fetchone()[0])" "$store"

expect 'del' 0 '^removed alice from r.example$' user del alice --realm r.example
expect 'del again' 1 'no user alice' user del alice --realm r.example
expect 'del in another realm' 1 'no user bob' user del bob --realm other.example

# store and realm from the configuration
sed "s|^  #*users:.*|  users: $store|; s|^  #*domain:.*|  domain: conf.example|" "$example" >"$folder/c.yaml"
expect 'realm from the configuration' 0 '^added carol in conf.example$' \
	with_input 'x\n' "$program" --config "$folder/c.yaml" --json add carol
expect 'store from the configuration' 0 'carol +conf.example' "$program" -c "$folder/c.yaml" list
expect 'no configuration' 3 "$folder/none.yaml" "$program" -c "$folder/none.yaml" list
expect 'no realm' 3 '--realm' user add dave -c "$folder/none.yaml"

printf 'this is no database, but long enough to be looked at' >"$folder/rubbish"
expect 'rubbish' 3 'no SQLite database' "$program" list --users "$folder/rubbish"
expect 'a folder that is not there' 3 'folder does not exist' \
	with_input 'x\n' "$program" add x --realm r.example --users "$folder/no/users.db"
# shellcheck disable=SC2016
[ ! -e /dev/full ] || expect 'output lost' 3 'standard output' \
	sh -c '"$1" list --users "$2" >/dev/full' sh "$program" "$store"

# import: by password, by hash, and what is wrong with others; what is right is added all the same
hash=$(printf 'old:r.example:x' | md5sum | cut -d ' ' -f 1)
cat >"$folder/many" <<END
{"name": "one", "password": "x"}
{"name": "two", "realm": "other.example", "password": "y"}

{"name": "old", "ha1": {"MD5": "$(echo "$hash" | tr a-f A-F)"}}
{"name": "one", "password": "again"}
{"name": "a b", "password": "x"}
{"name": "three"}
{"name": "four", "password": "x", "ha1": {"MD5": "$hash"}}
{"name": "five", "ha1": {"MD5": "abc"}}
{"name": "six", "ha1": {"MD4": "$hash"}}
{"name": "seven", "ha1": {}}
no JSON
{"name": "eight", "password": "x"}
END
many() { user import "$@" --realm r.example; }
expect 'import without a file' 2 'which file' user import
expect 'no such file' 1 'No such' many "$folder/none"
expect 'import' 1 '^added 4 users, refused 8$' many "$folder/many"
expect 'what exists' 1 'line 5: user one in realm r.example exists already' many "$folder/many"
expect 'a bad name' 1 "line 6: a user's name" many "$folder/many"
expect 'neither password nor hash' 1 'line 7: it needs a "password", or "ha1"' many "$folder/many"
expect 'a short hash' 1 'line 9: a hash' many "$folder/many"
expect 'an unknown algorithm' 1 'line 10: in "ha1" are' many "$folder/many"
expect 'no hash at all' 1 'line 11: a password or a hash is missing' many "$folder/many"
expect 'no JSON' 1 'line 12: no JSON object' many "$folder/many"
expect 'all good ones are there' 0 '^bob carol eight old one two$' sh -c \
	"'$program' list --json --users '$store' | jq -r '[.[].name] | sort | join(\" \")'"
expect 'a hash is taken as it is, in lower case' 0 "^$hash,\$" sqlite3 -separator , "$store" \
	"SELECT ha1_md5, ha1_sha256 FROM users WHERE name = 'old'"
expect 'import of standard input' 0 '^added 2000 users, refused 0$' sh -c \
	"seq 2000 | sed 's/.*/{\"name\": \"n&\", \"password\": \"p&\"}/' | '$program' import - --users '$store' --realm many.example"
expect 'init' 0 'ready' "$program" init --users "$folder/fresh.db"
expect 'and again' 0 'ready' "$program" init --users "$folder/fresh.db"
expect 'it is empty' 0 'no users yet' "$program" list --users "$folder/fresh.db"

# the same with PostgreSQL, but for what only a file can be
postgres=$(dirname "$0")/../../tools/postgres.sh
chmod 755 "$folder"
mkdir "$folder/pg"
trap 'sh "$postgres" kill "$folder/pg"; rm -rf "$folder"' EXIT
if sh "$postgres" start "$folder/pg"; then
	store="postgresql:///postgres?host=$folder/pg&user=sallyport"
	expect 'PostgreSQL: no table yet' 3 'sallyctl user init' user list
	expect 'PostgreSQL: init' 0 'ready' user init
	expect 'PostgreSQL: add' 0 '^added alice' with_input 'secret\n' user add alice --realm r.example
	expect 'PostgreSQL: add again' 1 'exists already' with_input 'x\n' user add alice --realm r.example
	expect 'PostgreSQL: import' 1 '^added 4 users, refused 8$' many "$folder/many"
	expect 'PostgreSQL: list' 0 '^alice +r.example +20' user list
	expect 'PostgreSQL: del' 0 '^removed alice' user del alice --realm r.example
	expect 'PostgreSQL: del again' 1 'no user alice' user del alice --realm r.example
	sh "$postgres" kill "$folder/pg"
	expect 'PostgreSQL: away' 3 'no connection' user list
else
	echo "not ok - no PostgreSQL"
	failed=1
fi

echo "1..$number"
[ $failed -eq 0 ]
