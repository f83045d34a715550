#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# How sallyport-media starts where a machine is short of something: of hugepages, of memory, of CPUs,
# of queues, of rights, or of a free socket; and that it follows a neighbour to a new link address.
#
# usage: start_test.sh BUILD-FOLDER     (root)
# shellcheck source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_dir=
media=$BUILD/dataplane/sallyport-media

# Before a command: it can read the kernel's pool of hugepages, but not change it.
frozen_pool=(sh -c 'mount -o remount,ro /sys && exec "$@"' sh)

# refuses PATTERN [WRAPPER...]: the relay ends with status 1 and a sentence that matches
refuses() {
  local pattern=$1
  shift
  ip netns exec "$NS_R" "$@" timeout -k 5 30 "$media" --config "$lab_dir/sallyport.yaml" \
    >"$lab_dir/start.log" 2>&1 </dev/null
  [ $? = 1 ] && grep -q "error: .*$pattern" "$lab_dir/start.log" && return 0
  sed 's/^/  it said: /' "$lab_dir/start.log"
  return 1
}

media_stop() {
  kill "$MEDIA_PID"
  wait "$MEDIA_PID"
}

# MiB in all free hugepages, of every size
free_huge_mb() {
  local folder mb=0
  for folder in /sys/kernel/mm/hugepages/hugepages-*kB; do
    [ -d "$folder" ] || continue
    size=${folder##*-}
    mb=$((mb + ${size%kB} * $(cat "$folder/free_hugepages") / 1024))
  done
  echo "$mb"
}

answers_api() { ctl status >/dev/null; }
has_tap() { ip -n "$NS_R" -br link | grep -q "^sp-access-a "; }
no_tap() { ! ip -n "$NS_R" -br link | grep -q "^sp-"; }

answers_ping() { # NAMESPACE ADDRESS
  ip netns exec "$1" ping -c 3 -i 0.1 -w 20 "$2" >/dev/null
}

# A port where nobody listens says so at once, whichever worker the question comes to.
ports_refused() { # NAMESPACE ADDRESS HOW-MANY
  # shellcheck disable=SC2016 # the inner shell's
  ip netns exec "$1" timeout 30 bash -c 'count=0
    for ((i = 0; i < $2; i++)); do
      [[ $( (exec 3<>"/dev/tcp/$1/9") 2>&1) == *refused* ]] && count=$((count + 1))
    done
    [ "$count" = "$2" ]' bash "$2" "$3"
}

last_worker_handed_over() {
  [ "$(ctl --json stats | jq '."worker.4.handed_over"')" -gt 0 ]
}

falls_back() {
  : >"$lab_dir/media.log"
  ip netns exec "$NS_R" "${frozen_pool[@]}" "$media" --config "$lab_dir/sallyport.yaml" \
    >"$lab_dir/media.log" 2>&1 </dev/null &
  MEDIA_PID=$!
  lab_pids+=("$MEDIA_PID")
  wait_for 20 media_is_up
  in_log "$lab_dir/media.log" "warning: no hugepages: .*vm.nr_hugepages" &&
    in_log "$lab_dir/media.log" "relaying: .*ordinary memory"
}

second_config() { # ADDRESS DEVICE [WORKERS]
  cat >"$lab_dir/sallyport.yaml" <<END
media:
  socket: $lab_dir/run/relay.sock
  memory: ordinary
  memory_mb: 512
  workers: ${3:-1}
  interfaces:
    - name: second
      device: "$2"
      address: $1
END
}

neighbour_is() { # MAC
  ip -n "$NS_R" neigh show "$LAB_A" dev sp-access-a | grep -q "lladdr $1"
}

short_of_hugepages() {
  local mb=$(($(free_huge_mb) + 512))
  lab_config "memory: hugepages" "memory_mb: $mb"
  check "hugepages are asked for and there are too few: refused" \
    refuses "media.memory: .*sysctl vm.nr_hugepages=" "${frozen_pool[@]}"
  check "nothing is left of it" no_tap
  lab_config "memory: auto" "memory_mb: $mb"
  check "media.memory: auto goes on with ordinary memory, and says so" falls_back
  check "the media address answers" answers_ping "$NS_A" "$LAB_SIP"
  check "it ends well" media_stop
}

short_of_memory() {
  lab_config "memory: ordinary" "memory_mb: 256" "workers: 5"
  check "too little memory for five workers: refused, with the amount" \
    refuses "media.memory_mb: 256 MiB .*which take 3[0-9][0-9] MiB"
}

short_of_cpus() {
  LAB_DEVICE_A=net_af_packet0,iface=va LAB_DEVICE_B=net_af_packet1,iface=vb \
    lab_config "memory: ordinary" "memory_mb: 512" "workers: 5"
  lab_media
  check "five workers: the kernel answers whichever receives" ports_refused "$NS_A" "$LAB_SIP" 80
  check "the fifth has no queue of the TAP, and hands over" last_worker_handed_over
  check "five workers end well" media_stop
  second_config 203.0.113.1/24 net_tap5 5
  check "five workers on a TAP alone, which has four queues: refused" \
    refuses "has 4 queue pair.s., and media.workers is 5"
}

another_relay() {
  lab_config "memory: ordinary"
  lab_media
  second_config 203.0.113.1/24 net_null0
  check "another relay on the same socket: refused" \
    refuses "media.socket: .*another sallyport-media answers on it"
  second_config 192.0.2.1/24 net_null0
  check "another relay with the same address: refused" \
    refuses "192.0.2.1/24 is in use on network interface sp-access-a"
  check "the first goes on: it answers ping" answers_ping "$NS_A" "$LAB_SIP"
  check "the first goes on: it answers its API" answers_api
  check "the first has kept its TAP" has_tap
}

# needs the relay of another_relay
new_link_address() {
  ip -n "$NS_A" link set eth0 address 02:00:00:00:00:77
  check "a neighbour with a new link address is answered" answers_ping "$NS_A" "$LAB_SIP"
  check "the kernel knows it at the new one" neighbour_is 02:00:00:00:00:77
  check "the relay ends well" media_stop
}

short_of_rights() {
  lab_config "memory: ordinary"
  # nobody may not even reach a checkout below a home folder
  local media=$lab_dir/sallyport-media
  install -m 755 "$BUILD/dataplane/sallyport-media" "$media"
  check "a start without rights: refused" \
    refuses "start as root" setpriv --reuid=65534 --regid=65534 --clear-groups
  second_config 203.0.113.1/24 0000:ff:1f.7
  check "a PCI device that is not there: refused" refuses 'device "0000:ff:1f.7" can.t be opened'
  check "nothing is left of all these" no_tap
}

lab_up
short_of_hugepages
short_of_memory
short_of_cpus
another_relay
new_link_address
short_of_rights
