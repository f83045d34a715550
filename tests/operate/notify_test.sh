#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the daemons tell the service manager: ready when they answer, alive while their loops turn
# (and, in the data plane, while each worker does), reloading, and ending.
#
# usage: notify_test.sh BUILD-FOLDER     (root)
# shellcheck source-path=SCRIPTDIR/../integration source=../integration/_init.sh
. "$(dirname "$0")/../integration/_init.sh"
tools=$(dirname "$0")

said() { grep -q "^$1" "$lab_dir/notify.log"; }
forget() { : >"$lab_dir/notify.log"; }
beats() { [ "$(grep -c '^WATCHDOG=1' "$lab_dir/notify.log")" -ge "$1" ]; }
# nothing in two thirds of the time after which a service manager would act
silent() {
  sleep 1.2 # more than two beats: what was on its way
  forget
  sleep 1
  ! said WATCHDOG=1
}
answers() { ctl status >/dev/null; }
worker_of() { grep -l '^rte-worker' /proc/"$1"/task/*/comm | head -1 | cut -d/ -f5; }

lab_up
lab_ca
lab_config "memory: ordinary"
lab_user alice wonderland
export NOTIFY_SOCKET=$lab_dir/notify.socket WATCHDOG_USEC=1500000
python3 "$tools/notify_socket.py" "$NOTIFY_SOCKET" "$lab_dir/notify.log" &
lab_pids+=("$!")
wait_for 5 test -S "$NOTIFY_SOCKET"

lab_media
check "sallyport-media says that it is ready" eventually 5 said READY=1
check "it beats" eventually 5 beats 3
check "it tells how it is" eventually 5 said 'STATUS=0 session(s), 1 worker(s)$'
worker=$(worker_of "$MEDIA_PID")
python3 "$tools/hold_thread.py" "$worker" >"$lab_dir/hold.log" &
HOLD=$!
lab_pids+=("$HOLD")
check "a worker is held" eventually 5 in_log "$lab_dir/hold.log" held
check "a worker that hangs is named" eventually 5 in_log "$lab_dir/media.log" "worker 0 has not ended a turn"
check "and then it beats no more" silent
check "though the control thread answers" answers
kill "$HOLD"
wait "$HOLD" 2>/dev/null
forget
check "the worker turns again: it beats again" eventually 5 beats 1
forget
kill "$MEDIA_PID"
wait "$MEDIA_PID"
check "it says that it ends" eventually 5 said STOPPING=1

unset WATCHDOG_USEC
lab_media # nobody watches this one: the beats are sallyport-sip's
export WATCHDOG_USEC=1500000
forget
lab_sip
check "sallyport-sip says that it is ready" eventually 5 said READY=1
check "it beats" eventually 5 beats 3
check "it tells how it is" said "STATUS=serving $LAB_DOMAIN"
forget
kill -HUP "$SIP_PID"
check "it says that it reloads" eventually 5 said RELOADING=1
check "since when" said MONOTONIC_USEC=
check "and that it is ready again" eventually 5 said READY=1
kill -STOP "$SIP_PID"
check "its loop hangs: it beats no more" silent
kill -CONT "$SIP_PID"
forget
kill "$SIP_PID"
wait "$SIP_PID"
check "it says that it ends" eventually 5 said STOPPING=1
