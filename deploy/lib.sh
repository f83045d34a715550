# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What the quick start and the integration tests share: a relay and two phones, each in a network
# namespace of its own, all made here and all taken down by lab_down, however the script ends.
#
#   relay namespace   va 192.0.2.1 (access-a)      vb 198.51.100.1 (access-b)
#                      |                            |
#   phone A           eth0 192.0.2.10              eth0 198.51.100.10   phone B
#
# The relay's ends are DPDK ports: the addresses belong to the TAPs that sallyport-media makes.

LAB_DOMAIN=demo.sallyport.test
LAB_SIP=192.0.2.1
LAB_A=192.0.2.10
LAB_B=198.51.100.10

lab_pids=()
lab_dir=""
lab_name=""
NS_R="" NS_A="" NS_B=""

fail() {
  echo "$*" >&2
  exit 1
}

# lab_up: the folder, the namespaces, the wires. Sets lab_dir, NS_R, NS_A, NS_B.
lab_up() {
  [ "$(id -u)" -eq 0 ] || fail "$0: run it as root (sudo): it makes network namespaces and DPDK devices"
  lab_dir=$(mktemp -d "${TMPDIR:-/tmp}/sallyport.XXXXXX")
  chmod 755 "$lab_dir" # the daemons change user; what is secret in it has rights of its own
  lab_name=sp-$(basename "$lab_dir" | tr -dc 'a-zA-Z0-9' | tail -c 6)-$$
  NS_R=$lab_name-r NS_A=$lab_name-a NS_B=$lab_name-b
  local ns
  for ns in "$NS_R" "$NS_A" "$NS_B"; do
    ip netns add "$ns"
    ip -n "$ns" link set lo up
  done
  lab_wire va "$NS_A" "$LAB_A" 192.0.2.1
  lab_wire vb "$NS_B" "$LAB_B" 198.51.100.1
}

# lab_wire PORT NAMESPACE ADDRESS GATEWAY: a veth from the relay's namespace to a phone's
lab_wire() {
  ip -n "$NS_R" link add "$1" type veth peer name eth0 netns "$2"
  ip netns exec "$NS_R" sysctl -qw "net.ipv6.conf.$1.disable_ipv6=1"
  ip netns exec "$2" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
  # a veth hands over unfinished checksums and large segments, which a real wire never carries
  ip netns exec "$2" ethtool -K eth0 tx off tso off gso off >/dev/null 2>&1
  ip -n "$NS_R" link set "$1" up
  ip -n "$2" addr add "$3/24" dev eth0
  ip -n "$2" link set eth0 up
  ip -n "$2" route add default via "$4"
}

lab_down() {
  local pid i
  for ((i = ${#lab_pids[@]} - 1; i >= 0; i--)); do
    kill "${lab_pids[i]}" 2>/dev/null
  done
  for pid in "${lab_pids[@]}"; do
    for ((i = 0; i < 50; i++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  lab_pids=()
  for i in "$NS_R" "$NS_A" "$NS_B"; do
    [ -n "$i" ] || continue
    # whoever is left in there: a child of one of the above, say
    for pid in $(ip netns pids "$i" 2>/dev/null); do
      kill -9 "$pid" 2>/dev/null
    done
    ip netns del "$i" 2>/dev/null
  done
  [ -n "$lab_dir" ] && rm -rf "$lab_dir"
  lab_dir=""
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

# in_log FILE PATTERN
in_log() { grep -q "$2" "$1" 2>/dev/null; }

# lab_ca: a demonstration CA, and the server's certificate for the domain and the address
lab_ca() {
  local d=$lab_dir/tls
  mkdir -p "$d"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj "/CN=Sallyport demonstration CA" -keyout "$d/ca.key" -out "$d/ca.pem" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$LAB_DOMAIN" \
    -keyout "$d/server.key" -out "$d/server.csr" 2>/dev/null
  printf 'subjectAltName=DNS:%s,IP:%s\n' "$LAB_DOMAIN" "$LAB_SIP" >"$d/server.ext"
  openssl x509 -req -in "$d/server.csr" -CA "$d/ca.pem" -CAkey "$d/ca.key" -CAcreateserial -days 2 \
    -extfile "$d/server.ext" -out "$d/server.pem" 2>/dev/null
  chmod 600 "$d"/*.key
}

# lab_config [MEDIA_LINE]...: writes the configuration; further lines go into its media section
lab_config() {
  local line
  {
    echo "media:"
    echo "  socket: $lab_dir/run/relay.sock"
    echo "  user: nobody"
    for line in "$@"; do echo "  $line"; done
    cat <<EOF
  interfaces:
    - name: access-a
      device: ${LAB_DEVICE_A:-net_af_xdp0,iface=va}
      address: 192.0.2.1/24
    - name: access-b
      device: ${LAB_DEVICE_B:-net_af_xdp1,iface=vb}
      address: 198.51.100.1/24
${LAB_MORE_INTERFACES:-}
sip:
  address: $LAB_SIP
  domain: $LAB_DOMAIN
  certificate: $lab_dir/tls/server.pem
  private_key: $lab_dir/tls/server.key
  ca: $lab_dir/tls/ca.pem
  users: ${LAB_USERS:-$lab_dir/users/users.db}
  control_socket: $lab_dir/run/sip.sock
  bindings: $lab_dir/bindings/bindings.db
  user: nobody
  # baresip 1.0 gives up at any challenge but MD5's, wherever it stands among others
  digests: [${LAB_DIGESTS:-MD5}]
${LAB_SIP_LINES:-}
EOF
  } >"$lab_dir/sallyport.yaml"
  mkdir -p "$lab_dir/run" "$lab_dir/users"
  # the daemons run as nobody, who must reach the socket and read the users
  chown nobody:nogroup "$lab_dir/run"
  chgrp nogroup "$lab_dir/users"
  chmod 750 "$lab_dir/users"
}

# lab_user NAME PASSWORD
lab_user() {
  printf '%s\n' "$2" | "$BUILD/relay/sallyctl" --config "$lab_dir/sallyport.yaml" user add "$1" >/dev/null ||
    fail "user $1 could not be added"
}

lab_media() {
  : >"$lab_dir/media.log" # not an earlier one's words
  ip netns exec "$NS_R" "$BUILD/dataplane/sallyport-media" --config "$lab_dir/sallyport.yaml" \
    >"$lab_dir/media.log" 2>&1 </dev/null &
  MEDIA_PID=$!
  lab_pids+=("$MEDIA_PID")
  wait_for 20 media_is_up
  in_log "$lab_dir/media.log" "relaying:" || {
    cat "$lab_dir/media.log" >&2
    fail "sallyport-media did not start: its own words are above"
  }
}

media_is_up() {
  kill -0 "$MEDIA_PID" 2>/dev/null || return 0 # no use waiting for the dead
  in_log "$lab_dir/media.log" "relaying:"
}

lab_sip() {
  ip netns exec "$NS_R" "${LAB_SIP_PROGRAM:-$BUILD/control/sallyport-sip}" --config "$lab_dir/sallyport.yaml" \
    >>"$lab_dir/sip.log" 2>&1 </dev/null &
  SIP_PID=$!
  lab_pids+=("$SIP_PID")
  wait_for 15 sip_is_up
  in_log "$lab_dir/sip.log" "listening on" || {
    cat "$lab_dir/sip.log" >&2
    fail "sallyport-sip did not start: its own words are above"
  }
}

sip_is_up() {
  kill -0 "$SIP_PID" 2>/dev/null || return 0
  in_log "$lab_dir/sip.log" "listening on" && in_log "$lab_dir/sip.log" "connected to the relay"
}

ctl() { "$BUILD/relay/sallyctl" --socket "$lab_dir/run/relay.sock" "$@"; }

# phone_config NAME PASSWORD ADDRESS TONE_HZ [ACCOUNT_PARAMETERS] [CA]: a baresip without a sound
# card, which plays a tone and records what it hears
phone_config() {
  local d=$lab_dir/$1
  mkdir -p "$d/heard"
  sox -q -n -r 8000 -c 1 -b 16 "$d/tone.wav" synth 60 sine "$4" gain -6
  cat >"$d/config" <<EOF
poll_method epoll
sip_listen $3:5070
sip_cafile ${6:-$lab_dir/tls/ca.pem}
call_local_timeout 60
call_max_calls 4
audio_source aufile,$d/tone.wav
audio_player aufile,$d/player.wav
audio_alert aufile,$d/player.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtcp_mux no
snd_path $d/heard
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module sndfile.so
module srtp.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
EOF
  echo "<sip:$1@$LAB_DOMAIN;transport=tls>;auth_user=$1;auth_pass=$2;outbound=\"sip:$LAB_SIP:5061;transport=tls\";regint=600;audio_codecs=PCMU/8000/1;${5:-mediaenc=srtp-mand;answermode=auto}" \
    >"$d/accounts"
  : >"$d/contacts"
  # baresip 1.0 reads its CA file, and then verifies nothing; OpenSSL's own configuration makes it
  cat >"$d/openssl.cnf" <<EOF
openssl_conf = defaults
[defaults]
ssl_conf = all_uses
[all_uses]
system_default = every_context
[every_context]
VerifyMode = Peer
EOF
}

# phone_start NAME NAMESPACE [BARESIP_ARGUMENTS]...: sets PHONE_PID
phone_start() {
  local ns=$2 d=$lab_dir/$1
  shift 2
  # its home is its folder: nothing of root's is read or written
  (
    cd "$d/heard" || exit 1
    HOME=$d OPENSSL_CONF=$d/openssl.cnf exec ip netns exec "$ns" baresip -4 -f "$d" -s "$@"
  ) >"$d/log" 2>&1 </dev/null &
  PHONE_PID=$!
  lab_pids+=("$PHONE_PID")
}

# phone_registered NAME
phone_registered() { in_log "$lab_dir/$1/log" "200 OK.*\[1 binding\]\|registered successfully\|: 200 OK ("; }

# heard NAME: the recording of what this phone heard, in the longest of its calls
heard() { find "$lab_dir/$1/heard" -name '*-dec.wav' -printf '%s %p\n' | sort -rn | head -1 | cut -d' ' -f2-; }
