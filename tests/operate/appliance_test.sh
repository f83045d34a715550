#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A box in a rack: in a clean Debian 12 with systemd as its first process the packages install, their units start
# the daemons, and two real phones talk. Under their call a later release is installed, a daemon that hangs is
# started again, and one that is stopped waits for the call's end. Purging leaves nothing behind.
#
# usage: appliance_test.sh BUILD-FOLDER     (root)
# shellcheck source-path=SCRIPTDIR/../integration source=../integration/_init.sh
. "$(dirname "$0")/../integration/_init.sh"
# shellcheck source-path=SCRIPTDIR source=_packages.sh
. "$(dirname "$0")/_packages.sh"
packages_made || { echo "NOT OK: the packages build"; exit 1; }
lab_up
# shellcheck source-path=SCRIPTDIR source=_machine.sh
. "$(dirname "$0")/_machine.sh"
trap 'machine_end; finish' EXIT
PROGRAMS="media sip web tools"

apt() {
  inside apt-get -y -q --no-install-recommends -o Dpkg::Options::=--force-confold "$@" >>"$lab_dir/box.log" 2>&1
}
# bring FOLDER: its packages into the box; sets debs
bring() {
  local program
  rm -rf "$box/packages"
  mkdir "$box/packages"
  debs=()
  for program in $PROGRAMS; do
    cp "$1/sallyport-${program}"_*.deb "$box/packages/"
    debs+=("/packages/$(basename "$1/sallyport-${program}"_*.deb)")
  done
}
# what others put there; afterwards the difference is ours
dependencies() {
  inside apt-get -s --no-install-recommends install "${debs[@]}" | awk '/^Inst/ && $2 !~ /^sallyport-/ { print $2 }'
}
# but for what dpkg, apt and systemd keep for themselves
content() {
  (cd "$box" && find . -path ./var/lib/dpkg -prune -o -path ./var/lib/apt -prune -o -path ./var/cache -prune -o \
    -path './var/log/apt*' -prune -o -name dpkg.log -prune -o -path ./packages -prune -o -print | sort)
  inside find /run -path /run/systemd -prune -o -path /run/log -prune -o -name '*sallyport*' -print
  cut -d: -f1 "$box/etc/passwd" "$box/etc/group"
}
left_nothing() {
  content >"$lab_dir/after"
  diff "$lab_dir/before" "$lab_dir/after"
}
# next_release FOLDER: packages of which nothing but the release's number is new, and a line of what is in /etc;
# sets release, next
next_release() {
  local program x=$lab_dir/x
  release=$(installed sip)
  next=${release%?}$(((${release: -1} + 1) % 10)) # as long as it was: it is in the programs
  mkdir "$1"
  for program in $PROGRAMS; do
    dpkg-deb -R "$PACKAGES/sallyport-${program}"_*.deb "$x"
    find "$x/DEBIAN/control" "$x/usr" -type f \( -name control -o -name 'sally*' -perm -u+x \) \
      -exec sed -i "s/${release//./\\.}/$next/g" {} +
    [ ! -d "$x/etc" ] || find "$x/etc" -type f -exec sed -i '$a # of a later release' {} +
    (cd "$x" && find usr lib -type f -exec md5sum {} + >DEBIAN/md5sums) 2>/dev/null
    dpkg-deb --root-owner-group -Znone -b "$x" "$1/sallyport-${program}_${next}_amd64.deb" >/dev/null
    rm -r "$x"
  done
}

ctl() { inside sallyctl "$@"; }
property() { inside systemctl show --value -p "$2" "sallyport-$1"; } # UNIT NAME
pid_of() { property "$1" MainPID; }
is() { [ "$(property "$1" ActiveState)" = "$2" ]; } # UNIT STATE
said() { inside journalctl -q -o cat -u "sallyport-$1" | grep -q "$2"; } # UNIT PATTERN
# shellcheck disable=SC2016 # dpkg's own variable
installed() { inside dpkg-query -f '${Version}' -W "sallyport-$1"; }
runs() { # UNIT: the release that does
  case $1 in
    sip) ctl sip --json stats | jq -r .release ;;
    web) ip netns exec "$NS_R" curl -sS http://127.0.0.1:9478/metrics | sed -nE 's/^sallyport_build_info.*"web",version="([^"]*)".*/\1/p' ;;
  esac
}
# program UNIT: the file that its process runs, "(deleted)" if another has taken its place
program() { inside readlink "/proc/$(pid_of "$1")/exe"; }
runs_as() { [ "$(runs "$1" 2>/dev/null)" = "$2" ]; } # UNIT RELEASE
carried() { ctl --json sessions 2>/dev/null | jq '[.[0].legs[]?.packets_in] | min // 0'; }
carried_more() { [ "0$(carried)" -ge $(($1 + 50)) ]; }
other_than() { [ "$(pid_of "$1")" != "$2" ] && is "$1" active; } # UNIT PID
go_on() { [ "$(inside journalctl -q -o cat -u sallyport-sip | grep -c "1 call(s) of an earlier life go on")" -eq "$1" ]; }

configure() {
  cat >"$box/etc/sallyport/sallyport.yaml" <<YAML
media:
  user: sallyport-media
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
  dialogs_return_s: 5 # these phones come back only to say something
YAML
  cp "$lab_dir/tls/server.pem" "$box/etc/sallyport/certificate.pem"
  cp "$lab_dir/tls/server.key" "$box/etc/sallyport/key.pem"
  inside chgrp sallyport-sip /etc/sallyport/key.pem
  chmod 640 "$box/etc/sallyport/key.pem"
  # one that hangs is found sooner than in a rack
  inside install -d /etc/systemd/system/sallyport-sip.service.d
  printf '[Service]\nWatchdogSec=2s\n' >"$box/etc/systemd/system/sallyport-sip.service.d/sooner.conf"
}
user_added() { # NAME PASSWORD
  printf '%s\n' "$2" >"$box/root/password"
  inside sallyctl user add "$1" --password-file /root/password >>"$lab_dir/box.log" 2>&1
  local status=$?
  rm "$box/root/password"
  return "$status"
}

machine_make || { tail -20 "$lab_dir/box.log"; fail "mmdebstrap made no Debian"; }
bring "$PACKAGES"
mapfile -t needed < <(dependencies)
apt install "${needed[@]}" || { tail -20 "$lab_dir/box.log"; fail "what the packages depend on can't be installed"; }
machine_start
content >"$lab_dir/before"
check "the packages install" apt install "${debs[@]}"
[ "$bad" -eq 0 ] || { tail -20 "$lab_dir/box.log"; exit 1; }

lab_ca
configure
check "alice is added" user_added alice wonderland
check "bob is added" user_added bob builder77
check "all daemons start by their units" inside systemctl enable --quiet --now sallyport-media sallyport-sip sallyport-web
check "sallyport-sip reaches the relay" eventually 5 said sip "connected to the relay"
[ "$bad" -eq 0 ] || { inside journalctl -q -u 'sallyport-*' | tail -40; exit 1; }

phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000
phone_start bob "$NS_B"
BOB=$PHONE_PID
check "bob registers" eventually 15 phone_registered bob
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN"
ALICE=$PHONE_PID
check "a session is at the relay" eventually 5 one_session
check "media flows" eventually 5 carried_more 0

echo "-- upgrade"
next_release "$lab_dir/next"
bring "$lab_dir/next"
media=$(pid_of media) sip=$(pid_of sip) before=$(carried)
cp -r "$box/var/lib/sallyport" "$lab_dir/users-before"
cp "$box/etc/sallyport/sallyport.yaml" "$lab_dir/written.yaml"
check "a later release installs" apt install "${debs[@]}"
check "it is there: $release, then $next" [ "$(installed sip) $(installed media)" = "$next $next" ]
check "sallyport-sip has been started anew" other_than sip "$sip"
check "and is the later release" eventually 5 runs_as sip "$next"
check "so is sallyport-web" eventually 5 runs_as web "$next"
check "sallyport-media goes on as it was" [ "$(pid_of media) $(program media)" = "$media /usr/sbin/sallyport-media (deleted)" ]
check "what the operator has written in /etc stays" cmp "$lab_dir/written.yaml" "$box/etc/sallyport/sallyport.yaml"
check "what he has not is the later one" grep -q "later release" "$box/etc/fail2ban/filter.d/sallyport-sip.conf"
check "the users are there" diff -r "$lab_dir/users-before" "$box/var/lib/sallyport"
check "so are the bindings" [ "$(ctl sip --json registrations | jq length)" = 2 ]
check "the call goes on" go_on 1
# and so for some seconds: by then the new one knows how far the keys are used
check "with its media" eventually 10 carried_more $((before + 250))
[ "$bad" -eq 0 ] || { tail -20 "$lab_dir/box.log"; exit 1; }
check "sallyport-media starts anew when the operator wants it" inside systemctl restart sallyport-media
check "as the later release" [ "$(program media)" = /usr/sbin/sallyport-media ]
check "and the call has media again" eventually 5 carried_more 0

check "both reload" inside systemctl reload sallyport-media sallyport-sip

echo "-- watchdog"
sip=$(pid_of sip)
inside sh -c "kill -STOP $sip"
check "sallyport-sip hangs: it is started anew" eventually 15 other_than sip "$sip"
check "by the watchdog" said sip "watchdog"
check "and goes on with the call" eventually 5 go_on 2

echo "-- stop"
inside systemctl stop sallyport-sip &
STOP=$!
lab_pids+=("$STOP")
check "stopped, it drains" eventually 5 said sip "drain"
before=$(carried)
check "the call goes on" eventually 5 carried_more "$before"
check "and it waits for that" is sip deactivating
phone_stop "$ALICE"
check "then it ends" wait "$STOP"
check "with success" [ "$(property sip Result)" = success ]
check "no session is left" eventually 3 no_session
check "alice heard bob" tone_is alice 1000
check "bob heard alice" tone_is bob 440
phone_stop "$BOB"
check "the call is on record, once" [ "$(grep -c alice "$box/var/log/sallyport/calls.jsonl")" -eq 1 ]

echo "-- purge"
rm -r "$box/etc/systemd/system/sallyport-sip.service.d"
check "the packages can be purged" apt purge sallyport-media sallyport-sip sallyport-web sallyport-tools
check "which stops what ran" [ -z "$(ip netns pids "$NS_R" | xargs -r ps -o comm= -p | grep sallyport)" ]
check "nothing is left of them: no file, no user" left_nothing
[ "$bad" -eq 0 ] || inside journalctl -q --no-pager -u 'sallyport-*' | tail -60
