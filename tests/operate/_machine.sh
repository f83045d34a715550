# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# A Debian of its own in $box, and in it systemd as the first process: in the relay's network namespace, and
# namespaces for processes, mounts, cgroups and names that end with it. It does not change the machine's settings.
# shellcheck disable=SC2154 # lab_dir, lab_name: of deploy/lib.sh
box=$lab_dir/box
MACHINE_PID=0    # what waits for its first process
MACHINE_CGROUP=""

# Debian's own sources of this machine, in one line each
machine_sources() {
  # shellcheck disable=SC2016 # apt's own variables
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | sort -u
}

# machine_make: what it consists of, in $box
machine_make() {
  [ -n "$(machine_sources)" ] || apt-get update -qq
  machine_sources >"$lab_dir/sources.list"
  mmdebstrap --quiet --mode=root --variant=apt --skip=cleanup/apt --include=systemd --format=directory bookworm "$box" \
    "$lab_dir/sources.list" >"$lab_dir/box.log" 2>&1 </dev/null || return 1
  cp /etc/resolv.conf "$box/etc/resolv.conf"
  mkdir -p "$box/etc/systemd/journald.conf.d"
  printf '[Journal]\nStorage=volatile\nReadKMsg=no\n' >"$box/etc/systemd/journald.conf.d/volatile.conf"
  # what is for a kernel of its own, or for people who log in
  local unit
  for unit in systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service systemd-journald-audit.socket \
    proc-sys-fs-binfmt_misc.automount dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount \
    sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount getty.target timers.target; do
    ln -s /dev/null "$box/etc/systemd/system/$unit"
  done
}

# machine_start: boots it, into $NS_R
machine_start() {
  local cgroups
  cgroups=$(findmnt -n -t cgroup2 -o TARGET | head -1)
  [ -n "$cgroups" ] || fail "no cgroup2 is mounted: systemd can't be tried here"
  MACHINE_CGROUP=$cgroups/$lab_name
  mkdir "$MACHINE_CGROUP" || fail "no cgroup can be made in $cgroups: systemd can't be tried here"
  # shellcheck disable=SC2016 # the inner shells'
  sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$MACHINE_CGROUP" \
    ip netns exec "$NS_R" unshare --mount --pid --cgroup --uts --ipc --fork --kill-child --propagation private \
    sh -e -c 'box=$1
    mount --bind "$box" "$box"
    mount -t proc proc "$box/proc"
    mount -t sysfs sysfs "$box/sys"
    mount -t cgroup2 cgroup2 "$box/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$box/run"
    mount -t tmpfs -o mode=755 tmpfs "$box/dev"
    cd "$box/dev"
    mkdir net pts shm
    for node in null zero full random urandom tty net/tun; do
      touch "$node"
      mount --bind "/dev/$node" "$node"
    done
    mount -t devpts -o newinstance,ptmxmode=666 devpts pts
    ln -s pts/ptmx ptmx
    mount -t tmpfs -o mode=1777 tmpfs shm
    cd "$box"
    pivot_root . .
    umount -l .
    exec env -i container=test PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --unit=basic.target' sh "$box" \
    >"$lab_dir/machine.log" 2>&1 </dev/null &
  MACHINE_PID=$!
  wait_for 20 machine_is_up || fail "systemd does not come up: $(cat "$lab_dir/machine.log")"
}
machine_is_up() { [ "$(inside systemctl is-system-running 2>/dev/null)" = running ]; }

# machine_end: for a trap: with the status that there was
machine_end() {
  local status=$?
  if [ "$MACHINE_PID" -ne 0 ]; then
    kill -9 "$MACHINE_PID" # and so its first process, and so all of them
    wait "$MACHINE_PID" 2>/dev/null
    wait_for 5 machine_is_gone
  fi
  return "$status"
}
machine_is_gone() {
  find "$MACHINE_CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null
  [ ! -d "$MACHINE_CGROUP" ]
}

# inside COMMAND...: in the machine, or, before it has booted, in its folder
inside() {
  local first
  first=$(pgrep -P "$MACHINE_PID" 2>/dev/null)
  if [ "$MACHINE_PID" -ne 0 ]; then
    nsenter --target "${first:-0}" --mount --pid --cgroup --uts --ipc env -i DEBIAN_FRONTEND=noninteractive LC_ALL=C \
      PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null
  else
    # shellcheck disable=SC2016 # the inner shell's
    unshare --mount --propagation private sh -c 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"' \
      "$box" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@" </dev/null
  fi
}
