#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# In a clean Debian 12: the packages install, both daemons start as their units say, a call between
# two real phones passes, and purging leaves nothing behind.
#
# usage: appliance_test.sh BUILD-FOLDER     (root)
# shellcheck source-path=SCRIPTDIR/../integration source=../integration/_init.sh
. "$(dirname "$0")/../integration/_init.sh"
# shellcheck source-path=SCRIPTDIR source=_packages.sh
. "$(dirname "$0")/_packages.sh"
PROGRAMS="media sip tools"

# Debian's own sources of this machine, in one line each
sources() {
  # shellcheck disable=SC2016 # apt's own variables
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | sort -u
}
root_made() {
  [ -n "$(sources)" ] || apt-get update -qq
  sources >"$lab_dir/sources.list"
  mmdebstrap --quiet --mode=root --variant=apt --skip=cleanup/apt --format=directory bookworm "$box" \
    "$lab_dir/sources.list" >"$lab_dir/box.log" 2>&1 </dev/null
}
# in the box, with /proc, /sys and /dev in a mount namespace that ends with the command
inside() {
  # shellcheck disable=SC2016 # the inner shell's
  unshare --mount --propagation private sh -c 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"' \
    "$box" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@" </dev/null
}
apt() { inside apt-get -y -q --no-install-recommends "$@" >>"$lab_dir/box.log" 2>&1; }
# what others put there; afterwards the difference is ours
dependencies() {
  inside apt-get -s --no-install-recommends install "${debs[@]}" | awk '/^Inst/ && $2 !~ /^sallyport-/ { print $2 }'
}
# but for what dpkg and apt keep for themselves
content() {
  (cd "$box" && find . -path ./var/lib/dpkg -prune -o -path ./var/lib/apt -prune -o -path ./var/cache -prune -o \
    -path './var/log/apt*' -prune -o -name dpkg.log -prune -o -path ./packages -prune -o -print | sort)
  cut -d: -f1 "$box/etc/passwd" "$box/etc/group"
}

# setting UNIT NAME: its values, in one line
setting() { sed -n "s/^$2=//p" "$box/lib/systemd/system/sallyport-$1.service" | xargs; }
# folder UNIT NAME PARENT: as the service manager makes it before it starts a daemon
folder() {
  local name mode
  name=$(setting "$1" "$2")
  [ -n "$name" ] || return 0
  mode=$(setting "$1" "$2Mode")
  inside install -d -m "$mode" -o "$(setting "$1" User)" -g "$(setting "$1" User)" "/$3/$name"
}
# unit_start UNIT: as its unit says: command line, user, groups, capabilities, umask and folders. Its
# limits are the machine's, which may lend no more. Sets UNIT_PID
unit_start() {
  local user groups caps
  folder "$1" RuntimeDirectory run
  folder "$1" StateDirectory var/lib
  folder "$1" LogsDirectory var/log
  user=$(setting "$1" User)
  groups=$(setting "$1" SupplementaryGroups | tr ' ' ,)
  caps=-all$(setting "$1" CapabilityBoundingSet | tr 'A-Z ' 'a-z\n' | sed -n 's/^cap_/,+/p' | tr -d '\n')
  # shellcheck disable=SC2016,SC2046 # the inner shell's; the words of a command line
  UMASK=$(setting "$1" UMask) RUNTIME_DIRECTORY=/run/$(setting "$1" RuntimeDirectory) \
    ip netns exec "$NS_R" sh -c 'umask "$UMASK" && mount -t proc proc "$0/proc" && mount -t sysfs sysfs "$0/sys" && mount --rbind /dev "$0/dev" &&
    exec chroot "$0" "$@"' "$box" setpriv --reuid "$user" --regid "$user" --groups "$user${groups:+,$groups}" \
    --bounding-set "$caps" --inh-caps -all --no-new-privs $(setting "$1" ExecStart) >"$lab_dir/$1.log" 2>&1 </dev/null &
  UNIT_PID=$!
  lab_pids+=("$UNIT_PID")
}
stopped() { # PID: it ends by itself, with status 0
  kill "$1"
  wait "$1"
}
ctl() { inside sallyctl "$@"; }

configure() {
  cat >"$box/etc/sallyport/sallyport.yaml" <<YAML
media:
  user: $(setting media User | sed s/root/sallyport-media/)
  interfaces:
    - {name: access-a, device: "net_af_xdp0,iface=va", address: 192.0.2.1/24}
    - {name: access-b, device: "net_af_xdp1,iface=vb", address: 198.51.100.1/24}
sip:
  address: $LAB_SIP
  domain: $LAB_DOMAIN
  certificate: /etc/sallyport/certificate.pem
  private_key: /etc/sallyport/key.pem
  user: sallyport-sip
  digests: [MD5] # baresip 1.0 knows no other
  records: {path: /var/log/sallyport/calls.jsonl}
YAML
  cp "$lab_dir/tls/server.pem" "$box/etc/sallyport/certificate.pem"
  cp "$lab_dir/tls/server.key" "$box/etc/sallyport/key.pem"
  inside chgrp sallyport-sip /etc/sallyport/key.pem
  chmod 640 "$box/etc/sallyport/key.pem"
}
user_added() { # NAME PASSWORD
  printf '%s\n' "$2" >"$box/root/password"
  inside sallyctl user add "$1" --password-file /root/password >>"$lab_dir/box.log" 2>&1
  local status=$?
  rm "$box/root/password"
  return "$status"
}
left_nothing() {
  content >"$lab_dir/after"
  diff "$lab_dir/before" "$lab_dir/after"
}

packages_made || { echo "NOT OK: the packages build"; exit 1; }
lab_up
box=$lab_dir/box
root_made || { tail -20 "$lab_dir/box.log"; fail "mmdebstrap made no Debian"; }
mkdir "$box/packages"
debs=()
for program in $PROGRAMS; do
  cp "$PACKAGES/sallyport-${program}"_*.deb "$box/packages/"
  debs+=("/packages/$(basename "$PACKAGES/sallyport-${program}"_*.deb)")
done
cp /etc/resolv.conf "$box/etc/resolv.conf"
mapfile -t needed < <(dependencies)
apt install "${needed[@]}" || { tail -20 "$lab_dir/box.log"; fail "what the packages depend on can't be installed"; }
content >"$lab_dir/before"
check "the packages install" apt install "${debs[@]}"
[ "$bad" -eq 0 ] || { tail -20 "$lab_dir/box.log"; exit 1; }

lab_ca
configure
check "alice is added" user_added alice wonderland
check "bob is added" user_added bob builder77
unit_start media
MEDIA_PID=$UNIT_PID
check "sallyport-media starts as its unit says" eventually 20 in_log "$lab_dir/media.log" "relaying:"
unit_start sip
SIP_PID=$UNIT_PID
check "sallyport-sip starts as its unit says" eventually 15 in_log "$lab_dir/sip.log" "listening on"
check "it reaches the relay" eventually 5 in_log "$lab_dir/sip.log" "connected to the relay"
[ "$bad" -eq 0 ] || exit 1

phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000
phone_start bob "$NS_B"
BOB=$PHONE_PID
check "bob registers" eventually 15 phone_registered bob
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN" -t 5
ALICE=$PHONE_PID
check "a session is at the relay" eventually 5 one_session
wait "$ALICE"
check "the session is gone" eventually 3 no_session
check "alice heard bob" tone_is alice 1000
check "bob heard alice" tone_is bob 440
phone_stop "$BOB"
check "the call is on record" grep -q alice "$box/var/log/sallyport/calls.jsonl"
check "sallyport-sip ends when it is told" stopped "$SIP_PID"
check "sallyport-media ends when it is told" stopped "$MEDIA_PID"
check "the packages can be purged" apt purge sallyport-media sallyport-sip sallyport-tools
check "nothing is left of them: no file, no user" left_nothing
