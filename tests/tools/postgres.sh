#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A PostgreSQL server for one test: postgres.sh start|stop|kill|hang|resume FOLDER
#
# start makes a cluster in FOLDER/data if there is none, and serves it on a socket in FOLDER alone:
# postgresql:///postgres?host=FOLDER&user=sallyport. $POSTGRES_SETTINGS: more for its command line. As root, it all runs as nobody, for PostgreSQL
# will not run as root. kill ends it as a crash would; hang stops all of its processes.
set -eu

command=$1
folder=$2
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
[ -x "$bin/postgres" ] || {
	echo "postgres.sh: there is no PostgreSQL: sudo apt-get install postgresql" >&2
	exit 1
}

as_nobody() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$folder" "$@"
	else
		"$@"
	fi
}

# the server's own process and all that it made
processes() {
	[ -f "$folder/data/postmaster.pid" ] || return 0
	server=$(head -1 "$folder/data/postmaster.pid")
	echo "$server $(cat "/proc/$server/task/$server/children" 2>/dev/null || true)"
}

case $command in
start)
	if [ ! -d "$folder/data" ]; then
		[ "$(id -u)" -ne 0 ] || chown 65534:65534 "$folder"
		as_nobody "$bin/initdb" -D "$folder/data" -U sallyport --auth=trust -N --locale=C \
			-E UTF8 >"$folder/initdb.log" 2>&1 || {
			cat "$folder/initdb.log" >&2
			exit 1
		}
	fi
	settings="-c listen_addresses='' -c unix_socket_directories='$folder' -c fsync=off"
	as_nobody "$bin/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/postgres.log" \
		-o "$settings -c shared_buffers=16MB -c max_connections=20 ${POSTGRES_SETTINGS:-}" start >/dev/null </dev/null || {
		cat "$folder/postgres.log" >&2
		exit 1
	}
	;;
stop)
	[ ! -f "$folder/data/postmaster.pid" ] ||
		as_nobody "$bin/pg_ctl" -D "$folder/data" -w -m immediate stop >/dev/null
	;;
kill)
	all=$(processes)
	# shellcheck disable=SC2086 # several numbers
	kill -9 $all 2>/dev/null || true
	for process in $all; do
		while [ -d "/proc/$process" ] && ! grep -q '^State:.Z' "/proc/$process/status" 2>/dev/null; do sleep 0.02; done
	done
	rm -f "$folder/data/postmaster.pid" "$folder"/.s.PGSQL.*
	;;
hang)
	# shellcheck disable=SC2046
	kill -STOP $(processes)
	;;
resume)
	# shellcheck disable=SC2046
	kill -CONT $(processes)
	;;
*)
	echo "postgres.sh: what is \"$command\"?" >&2
	exit 2
	;;
esac
