#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The way between wire and kernel: sallyport-media on a veth, with every driver and kind of memory
# that the embedded device may have. The kernel must answer ARP, ND, ICMP and TCP through the TAP as
# if the address were on the wire itself; nothing may be left behind; and each start that can't be
# must be refused with a sentence that helps.
#
# usage: exception_test.sh PATH-OF-SALLYPORT-MEDIA     (root)
set -u

media=$1
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "needs root, for network namespaces"; exit 77; }

relay_ns=sp-relay-$$
phone_ns=sp-phone-$$
folder=$(mktemp -d)
relay_pid=
server_pid=

clean_up() {
	for pid in $relay_pid $server_pid; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	ip netns del "$relay_ns" 2>/dev/null
	ip netns del "$phone_ns" 2>/dev/null
	rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

fail() {
	echo "FAILED: $*"
	[ -s "$folder/said" ] && sed 's/^/  relay: /' "$folder/said"
	exit 1
}

make_wire() {
	ip netns add "$relay_ns" && ip netns add "$phone_ns" || fail "no namespaces"
	ip link add wire netns "$relay_ns" type veth peer name phone netns "$phone_ns" ||
		fail "no veth pair"
	ip -n "$relay_ns" link set lo up
	ip -n "$phone_ns" link set lo up
	ip -n "$phone_ns" link set phone up
	ip -n "$phone_ns" addr add 192.0.2.2/24 dev phone
	ip -n "$phone_ns" addr add 2001:db8::2/64 dev phone nodad
	ip -n "$phone_ns" addr add 198.51.100.2/32 dev lo
	# a veth hands over checksums and segments unfinished, as no real wire would
	ip netns exec "$phone_ns" ethtool -K phone tx off tso off gso off >/dev/null ||
		fail "ethtool -K"
}

# write_config DEVICE MEMORY WORKERS ADDRESS [line of media] [line of the interface]
write_config() {
	cat >"$folder/sallyport.yaml" <<-END
		media:
		  socket: $folder/relay.sock
		  user: nobody
		  memory: $2
		  workers: $3
		  sessions: 1000
		  ${5:-}
		  interfaces:
		    - name: test
		      device: $1
		      address: $4
		      ${6:-}
	END
}

# Starts the relay and waits until it says that it relays, or that it can't. 0 if it does.
start_relay() {
	local line
	rm -f "$folder/log" "$folder/said"
	mkfifo "$folder/log"
	ip netns exec "$relay_ns" "$media" --config "$folder/sallyport.yaml" 2>"$folder/log" &
	relay_pid=$!
	exec 9<"$folder/log"
	while read -r -t 30 -u 9 line; do
		echo "$line" >>"$folder/said"
		case $line in
		*"relaying:"*) return 0 ;;
		esac
	done
	wait "$relay_pid" || [ $? = 1 ] || fail "it ended with another status than 1"
	return 1
}

stop_relay() {
	kill "$relay_pid"
	wait "$relay_pid"
	local status=$?
	cat <&9 >>"$folder/said"
	[ $status = 0 ] || fail "the relay ended with status $status"
	check_nothing_left
	relay_pid=
}

check_nothing_left() {
	ip -n "$relay_ns" link show sp-test 2>/dev/null && fail "the TAP is left behind"
	ip -n "$relay_ns" -d link show wire | grep -q xdp && fail "an XDP program is left behind"
	ip -n "$relay_ns" rule | grep -q "lookup 53" && fail "a routing rule is left behind"
	ls -d /run/dpdk/sallyport-"$relay_pid"-* 2>/dev/null && fail "a folder of DPDK is left behind"
	return 0
}

# Until five answers came: on a machine that is busy with other things they may take their time.
check_ping() { # FAMILY-FLAG ADDRESS [SOURCE]
	local got
	got=$(ip netns exec "$phone_ns" ping "$1" ${3:+-I "$3"} -c 5 -i 0.1 -w 20 "$2" 2>&1)
	case $got in
	*DUP*) fail "a ping of $2 was answered twice: $got" ;;
	*"5 received"*) ;;
	*) fail "ping of $2: $got" ;;
	esac
}

check_neighbour() { # ADDRESS
	local mac
	mac=$(ip -n "$relay_ns" -br link show sp-test | awk '{print $3}')
	[ "$mac" = "$(ip -n "$relay_ns" -br link show wire | awk '{print $3}')" ] ||
		fail "the TAP has another link address than the wire"
	ip -n "$phone_ns" neigh show "$1" | grep -q "lladdr $mac" ||
		fail "the phone does not know $1 at $mac: $(ip -n "$phone_ns" neigh show "$1")"
}

check_tcp() { # ADDRESS
	mkfifo "$folder/ready"
	ip netns exec "$relay_ns" python3 "$here/wire.py" serve "$1" 5061 >"$folder/ready" &
	server_pid=$!
	read -r -t 10 <"$folder/ready" || fail "nothing can listen on $1"
	ip netns exec "$phone_ns" python3 "$here/wire.py" exchange "$1" 5061 ||
		fail "TCP to $1: what came back is not what was sent"
	wait "$server_pid" || fail "TCP to $1: what came is not what was sent"
	server_pid=
	rm -f "$folder/ready"
}

check_udp() { # ADDRESS
	ip netns exec "$phone_ns" python3 "$here/wire.py" refused "$1" 9 ||
		fail "the kernel does not say that UDP port 9 is closed"
	ip netns exec "$phone_ns" python3 "$here/wire.py" silent "$1" 20000 ||
		fail "somebody answers for a media port that has no session"
}

# Every thread is nobody, can't get more, and has no capability but CAP_NET_ADMIN in the first.
check_privileges() {
	local task nobody allowed
	nobody=$(id -u nobody)
	for task in /proc/"$relay_pid"/task/*; do
		allowed=0000000000000000
		[ "${task##*/}" = "$relay_pid" ] && allowed=0000000000001000
		for wanted in "Uid: $nobody $nobody $nobody $nobody" "CapEff: $allowed" \
			"CapPrm: $allowed" "CapInh: 0000000000000000" "CapBnd: 0000000000000000" \
			"CapAmb: 0000000000000000" "NoNewPrivs: 1"; do
			tr '\t' ' ' <"$task/status" | grep -qx "$wanted" ||
				fail "thread $(cat "$task/comm"): not $wanted, but" \
					"$(grep "^${wanted%%:*}" "$task/status")"
		done
	done
	[ "$(stat -c %u "/proc/$relay_pid/mem")" = 0 ] ||
		fail "the relay's memory can be read by its user"
	grep -q "^Max core file size *0 *0" "/proc/$relay_pid/limits" ||
		fail "the relay may leave a core file"
}

# A worker runs as soon as it wakes, whatever else the machine does: field 41 is SCHED_RR, 2.
check_preference() {
	local task
	for task in /proc/"$relay_pid"/task/*; do
		case $(cat "$task/comm") in
		rte-worker-*)
			[ "$(cut -d' ' -f41 "$task/stat")" = 2 ] ||
				fail "$(cat "$task/comm") has no preference over other programs"
			;;
		esac
	done
}

# try DEVICE MEMORY WORKERS: the whole path
try() {
	echo "$1, $2, $3 worker(s)"
	write_config "$1" "$2" "$3" 192.0.2.1/24 "" "gateway: 192.0.2.2"
	start_relay || fail "the relay does not start"
	check_ping -4 192.0.2.1
	check_ping -4 192.0.2.1 198.51.100.2
	check_neighbour 192.0.2.1
	check_tcp 192.0.2.1
	check_udp 192.0.2.1
	check_privileges
	check_preference
	stop_relay
}

try_ipv6() {
	echo "$1 with IPv6"
	write_config "$1" auto 1 2001:db8::1/64
	start_relay || fail "the relay does not start"
	check_ping -6 2001:db8::1
	check_neighbour 2001:db8::1
	check_tcp 2001:db8::1
	check_udp 2001:db8::1
	stop_relay
}

# refused WHAT SENTENCE: the relay with the present configuration ends with status 1 and says it
refused() {
	echo "refused: $1"
	start_relay && fail "$1: it starts all the same"
	grep -q "$2" "$folder/said" || fail "$1: no word of \"$2\""
	check_nothing_left
	relay_pid=
}

try_refusals() {
	write_config "net_af_xdp0,iface=nowhere" auto 1 192.0.2.1/24
	refused "no such interface" "there is no network interface nowhere"
	write_config "net_nothing0" auto 1 192.0.2.1/24
	refused "no such driver" 'device "net_nothing0" can.t be opened'
	write_config "net_af_xdp0,iface=wire" auto 2 192.0.2.1/24
	refused "more workers than queues" "needs a queue pair"
	write_config "net_af_xdp0,iface=wire" auto 1 192.0.2.1/24 "memory_mb: 1048576"
	refused "more memory than there is" "media.memory_mb"
	write_config "net_af_xdp0,iface=wire" auto 1 192.0.2.1/24 "cpus: [1000]"
	refused "a CPU that is not there" "media.cpus: CPU 1000"

	write_config "net_af_xdp0,iface=wire" auto 1 192.0.2.1/24
	ip -n "$relay_ns" addr add 192.0.2.1/24 dev wire
	refused "address in use" "192.0.2.1/24 is in use on network interface wire"
	ip -n "$relay_ns" addr del 192.0.2.1/24 dev wire
	ip -n "$relay_ns" link add sp-test type veth peer name other
	refused_by_name
	ip -n "$relay_ns" link del sp-test
}

refused_by_name() {
	echo "refused: a TAP that is there already"
	start_relay && fail "it takes another's TAP"
	grep -q "there is a network interface sp-test already" "$folder/said" ||
		fail "no word of the name"
	relay_pid=
}

try_many_starts() {
	echo "ten starts and ends, then a kill -9, then a start"
	local before after
	# those that nobody uses: another relay that starts or ends meanwhile takes or brings its own
	before=$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages 2>/dev/null)
	write_config "net_af_xdp0,iface=wire" auto 1 192.0.2.1/24
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		start_relay || fail "the relay does not start"
		stop_relay
	done
	# the kernel frees what AF_XDP held a moment after the end
	for _ in $(seq 100); do
		after=$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages 2>/dev/null)
		[ "$after" = "$before" ] && break
		sleep 0.1
	done
	[ "$after" = "$before" ] || fail "there were $before free hugepages, and now $after"

	write_config "net_af_xdp0,iface=wire" ordinary 1 192.0.2.1/24 "" "gateway: 192.0.2.2"
	start_relay || fail "the relay does not start"
	kill -9 "$relay_pid"
	wait "$relay_pid" 2>/dev/null
	relay_pid=
	start_relay || fail "the relay does not start after a kill -9"
	check_ping -4 192.0.2.1
	stop_relay
}

make_wire
chmod 755 "$folder"
try "net_af_xdp0,iface=wire" hugepages 1
try "net_af_xdp0,iface=wire" ordinary 1
try "net_af_packet0,iface=wire" hugepages 1
try "net_af_packet0,iface=wire" ordinary 2
try_ipv6 "net_af_xdp0,iface=wire"
try_ipv6 "net_af_packet0,iface=wire"
try_refusals
try_many_starts
echo "all good"
