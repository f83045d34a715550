#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# report.sh RESULT.json: the quick start's measurement as a table. Exit status 0 if the call was good.
set -u
jq -r '
  def row($name; $a; $b): "  \($name + " " * (30 - ($name | length)))\(($a | tostring) as $t | $t + " " * ([26 - ($t | length), 1] | max))\($b)";
  .legs as [$a, $b] |
  "",
  "  TLS                           \(.tls.version), certificate \(if .tls.verified then "verified" else "NOT VERIFIED" end)",
  "  engine                        \(.engine)",
  "  memory                        \(.memory)",
  "  call                          \(.call.seconds | floor) s",
  "",
  row(""; "LEG A (alice)"; "LEG B (bob)"),
  row("suite"; $a.suite; $b.suite),
  row("packets in"; $a.packets_in; $b.packets_in),
  row("packets out"; $a.packets_out; $b.packets_out),
  row("plays"; "\($a.tone_hz_sent) Hz"; "\($b.tone_hz_sent) Hz"),
  row("hears"; "\($a.tone_hz_heard // "silence") Hz at \($a.level_dbfs_heard) dBFS"; "\($b.tone_hz_heard // "silence") Hz at \($b.level_dbfs_heard) dBFS"),
  row("wire: decrypts with own keys"; "\($a.wire.own_leg_keys.decrypted) of \($a.wire.own_leg_keys.packets)"; "\($b.wire.own_leg_keys.decrypted) of \($b.wire.own_leg_keys.packets)"),
  row("wire: with the other leg'"'"'s"; $a.wire.other_leg_keys.decrypted; $b.wire.other_leg_keys.decrypted),
  row("wire: heard without a key"; (if $a.wire.without_key.plain then "yes" else "nothing" end); (if $b.wire.without_key.plain then "yes" else "nothing" end)),
  "",
  "  dropped:",
  ((.drops | to_entries | map(select(.value > 0))) as $d |
    if ($d | length) == 0 then "    nothing" else $d[] | "    \(.key): \(.value)" end),
  "",
  (if .call.ok then "The call was good." else (.failures[] | "NOT GOOD: \(.)") end)' "$1"
[ "$(jq -r .call.ok "$1")" = true ]
