#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Call records: one line a call with all that it has to say and never a key; for a call that was up
# when sallyport-sip was killed, too; and while the disk is full.
# shellcheck source-path=SCRIPTDIR source=_init.sh
# the small disk is mounted where nobody else sees it
[ -n "${RECORDS_ALONE:-}" ] || RECORDS_ALONE=yes exec unshare --mount --propagation private bash "$0" "$@"
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
records=$lab_dir/records/calls.jsonl
LAB_SIP_LINES="  dialogs: none # a call does not outlive sallyport-sip
  records: {path: $records}" lab_config "memory: auto"
mkdir "$lab_dir/records"
trap 'umount -l "$lab_dir/records"; finish' EXIT
mount -t tmpfs -o size=64k,mode=755,uid=65534,gid=65534 records "$lab_dir/records"
lab_user alice wonderland
lab_user bob builder77
lab_media
lab_sip
phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000
phone_start bob "$NS_B"
BOB=$PHONE_PID
wait_for 10 phone_registered bob

count() { wc -l <"$records"; }
has_records() { [ "$(count)" -eq "$1" ]; }
last() { tail -1 "$records" | jq -e "$1" >/dev/null; }
flows() {
  local id
  id=$(ctl --json sessions | jq -r '.[0].id // empty')
  [ -n "$id" ] && ctl --json sessions "$id" | jq -e '.legs | all(.packets_in > 50)' >/dev/null
}
call_up() {
  phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN"
  ALICE=$PHONE_PID
  wait_for 8 flows
}

echo "== a call with an end"
check "a call is up" call_up
check "no record of it yet" has_records 0
id=$(ctl --json sessions | jq -r '.[0].id')
phone_stop "$ALICE"
check "its end makes a record" eventually 5 has_records 1
cat "$records"
check "who called whom" last ".from == \"sip:alice@$LAB_DOMAIN\" and (.to | startswith(\"sip:bob@$LAB_DOMAIN\"))"
check "who they proved to be" last '.legs[0].user == "alice" and .legs[1].user == "bob"'
check "where they are" last ".legs | (.[0].peer | startswith(\"$LAB_A:\")) and (.[1].peer | startswith(\"$LAB_B:\"))"
check "how their signalling is protected" last '.legs | all((.tls | startswith("TLSv1.")) and (.cipher | length > 5))'
check "both dialogs' call ids, which differ" last '.legs | (.[0].call_id != .[1].call_id) and all(.call_id | length > 5)'
check "when, in UTC" last '[.start, .answer, .end] | all(test("^20..-..-..T..:..:..[.]...Z$")) and . == sort'
check "how long" last '.duration_s > 0.5 and .duration_s < 60 and .setup_s > 0'
check "what ended it" last '.ended_by == "caller" and .cause == "the caller hung up" and .status == 200'
check "its media: suites" last '.media[0].legs | all(.suite_in == "AES_CM_128_HMAC_SHA1_80" and .suite_out == .suite_in)'
check "packets both ways" last '.media[0].legs | all(.packets_in > 50 and .packets_out > 50 and .lost >= 0)'
check "how good it was" last '.media[0].legs | all(.mos > 3 and .jitter_ms >= 0)'
check "no key" sh -c "! grep -q 'inline:' '$records' '$records.journal'"

echo "== killed in a call"
check "a call is up" call_up
before=$(count)
id=$(ctl --json sessions | jq -r '.[0].id')
kill -9 "$SIP_PID"
wait "$SIP_PID" 2>/dev/null
has_records "$before" || echo "a record already?"
phone_stop "$BOB"
phone_stop "$ALICE"
: >"$lab_dir/sip.log"
lab_sip
check "restarted, it writes the record" has_records $((before + 1))
tail -1 "$records"
check "of that call" last ".id == \"$id\" and .answer != null and .end == null"
check "and says why" last '.cause == "sallyport-sip ended unexpectedly"'
check "the log says so" said_sip "ended unexpectedly before, with 1 call"
ctl end "$id" >/dev/null
kill "$SIP_PID"
wait "$SIP_PID" 2>/dev/null
: >"$lab_dir/sip.log" # lab_sip waits for what it says
lab_sip
check "once" has_records $((before + 1))

echo "== no room"
phone_start bob "$NS_B"
BOB=$PHONE_PID
check "bob is in reach again" eventually 10 phone_registered bob
check "a call is up" call_up
before=$(count)
dd if=/dev/zero of="$lab_dir/records/filler" bs=1k count=1000 2>/dev/null
phone_stop "$ALICE"
full() { said_sip "calls.jsonl can't be written: No space left"; }
# what is left of the last page may hold a record or two
for _ in 1 2 3 4 5 6 7 8; do
  full && break
  call_up
  phone_stop "$ALICE"
  wait_for 5 no_session
done
check "the log says that the disk is full" full
check "calls go on" call_up
phone_stop "$ALICE"
wait_for 5 no_session
written=$(count)
rm "$lab_dir/records/filler"
more_records() { [ "$(count)" -gt "$((written + 1))" ]; }
check "with room again what waited is written" eventually 5 more_records
check "the log says so" eventually 3 said_sip "calls.jsonl is written again: .* 0 are lost"
check "every line is whole" sh -c "jq -e . '$records' >/dev/null"
check "each call has one" [ "$(jq -r .id "$records" | sort | uniq -d | wc -l)" = 0 ]
calls=$(grep -c "^.*call .* ended (" "$lab_dir/sip.log")
echo "$calls calls ended since the restart, $(($(count) - before)) records"
check "none is missing" [ "$(($(count) - before))" -eq "$calls" ]

phone_stop "$BOB"
