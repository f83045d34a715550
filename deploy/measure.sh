#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# measure.sh BUILD FOLDER SECONDS: what the quick start's call left in FOLDER (captures, recordings,
# the phones' own SIP traces, the relay's counters), judged; JSON on standard output.
set -u
build=$1 dir=$2 seconds=$3

# The keys as the phones themselves show them in their SIP traces: each phone's own offer or answer,
# and the relay's, on its leg. "NAME SUITE BASE64" a line.
keys_of() { # PHONE
  awk -v phone="$1" '
    /^TLS / { from_relay = ($2 ~ /:5061$/) }
    /^a=crypto:/ {
      key = $3; sub(/^inline:/, "", key); sub(/\|.*/, "", key); gsub(/\r/, "", key)
      if (key in seen) next # an INVITE is sent again with its credentials
      seen[key] = 1
      name = (from_relay ? "relay" : "phone")
      count[name]++
      print phone "." name "." count[name], $2, key
    }' "$dir/$1/log"
}
umask 077
for phone in alice bob; do keys_of "$phone"; done >"$dir/keys"

for phone in alice bob; do
  "$build/deploy/tools/wire_check" "$dir/$phone/wire.pcap" "$dir/keys" >"$dir/$phone/wire.json" || exit 1
  recording=$(find "$dir/$phone/heard" -name '*-dec.wav' | head -1)
  if [ -n "$recording" ]; then
    "$build/deploy/tools/tone_meter" "$recording" >"$dir/$phone/tone.json" || exit 1
  else
    echo '{"tone_hz": null, "level_dbfs": null, "purity": 0, "seconds": 0}' >"$dir/$phone/tone.json"
  fi
done

# The TLS version and cipher that the server chose, read from the wire.
tls=$(tshark -r "$dir/alice/wire.pcap" -d tcp.port==5061,tls -Y 'tls.handshake.type == 2' -T fields \
  -e tls.handshake.extensions.supported_version -e tls.handshake.version \
  -e tls.handshake.ciphersuite 2>/dev/null | head -1)
# Does the certificate verify against the CA, for the address that was called? As the phone does it.
verified=false
if grep -q "Verify return code: 0\|Verification: OK" "$dir/verify.log" 2>/dev/null; then verified=true; fi

version=$(printf '%s' "$tls" | cut -f1)
[ -n "$version" ] || version=$(printf '%s' "$tls" | cut -f2)
case $version in
  0x0304 | 772) version=TLSv1.3 ;;
  0x0303 | 771) version=TLSv1.2 ;;
  *) version="unknown ($version)" ;;
esac
cipher=$(printf '%s' "$tls" | cut -f3)

jq -n --argjson seconds "$seconds" --arg version "$version" --arg cipher "$cipher" \
  --argjson verified "$verified" \
  --slurpfile session "$dir/session.json" --slurpfile stats "$dir/stats.json" \
  --slurpfile status "$dir/status.json" \
  --slurpfile wire_a "$dir/alice/wire.json" --slurpfile wire_b "$dir/bob/wire.json" \
  --slurpfile tone_a "$dir/alice/tone.json" --slurpfile tone_b "$dir/bob/tone.json" '
  # of the flows on a wire: all packets, those that any of our leg'"'"'s keys decrypts, those that any of
  # the other leg'"'"'s keys does, and whether anything is heard without a key
  def wire($flows; $own; $other):
    {own_leg_keys: {packets: ([$flows[].packets] | add // 0),
       decrypted: ([$flows[] | [.decrypted | to_entries[] | select(.key | startswith($own + ".")).value] | add] | add // 0)},
     other_leg_keys: {decrypted: ([$flows[] | [.decrypted | to_entries[] | select(.key | startswith($other + ".")).value] | add] | add // 0)},
     without_key: {plain: ([$flows[].plain] | any)}};
  def leg($name; $i; $sent; $expected; $tone; $flows; $own; $other):
    $session[0].legs[$i] as $leg |
    {name: $name, phone: $own, suite: $leg.receive_suite, packets_in: $leg.packets_in,
     packets_out: $leg.packets_out, drops: $leg.drops, tone_hz_sent: $sent, tone_hz_expected: $expected,
     tone_hz_heard: $tone.tone_hz, level_dbfs_heard: $tone.level_dbfs, purity_heard: $tone.purity,
     seconds_heard: $tone.seconds, wire: wire($flows; $own; $other)};
  {call: {ok: false, seconds_asked: $seconds, seconds: ($session[0].age_ms / 1000)},
   tls: {version: $version, cipher: $cipher, verified: $verified},
   engine: $status[0].engine, memory: $status[0].memory,
   legs: [leg("a"; 0; 440; 1000; $tone_a[0]; $wire_a[0]; "alice"; "bob"),
          leg("b"; 1; 1000; 440; $tone_b[0]; $wire_b[0]; "bob"; "alice")],
   drops: ($stats[0] | with_entries(select(.key | startswith("drop."))) |
     with_entries(.key |= sub("^drop\\."; "")))} |
  # each thing that must hold, with the sentence that is said where it does not
  .failures = ([
    (if (.tls.version | test("^TLSv1\\.[23]$")) then empty else "the signalling is not TLS 1.2 or 1.3, but \(.tls.version)" end),
    (if .tls.verified then empty else "the server'"'"'s certificate does not verify" end),
    (.legs[] |
      (if (.suite | test("^AES_CM_128_HMAC_SHA1_(80|32)$")) then empty else "leg \(.name) has no SRTP suite" end),
      (if .packets_in >= ($seconds - 1) * 40 then empty else "leg \(.name): only \(.packets_in) packets came in" end),
      (if .packets_out >= ($seconds - 1) * 40 then empty else "leg \(.name): only \(.packets_out) packets went out" end),
      (if (.tone_hz_heard // 0) > .tone_hz_expected - 5 and (.tone_hz_heard // 0) < .tone_hz_expected + 5 then empty
       else "\(.phone) heard \(.tone_hz_heard // "silence") instead of \(.tone_hz_expected) Hz" end),
      (if (.level_dbfs_heard // -99) > -12 and .purity_heard > 0.8 then empty
       else "\(.phone) heard a weak or noisy tone (\(.level_dbfs_heard) dBFS, purity \(.purity_heard))" end),
      (if .wire.own_leg_keys.packets > 0 and .wire.own_leg_keys.decrypted >= .wire.own_leg_keys.packets * 0.99 then empty
       else "leg \(.name): only \(.wire.own_leg_keys.decrypted) of \(.wire.own_leg_keys.packets) packets on the wire are SRTP of this leg'"'"'s keys" end),
      (if .wire.other_leg_keys.decrypted == 0 then empty else "leg \(.name): the other leg'"'"'s keys decrypt its wire" end),
      (if .wire.without_key.plain then "leg \(.name): sound can be heard on the wire without a key" else empty end)),
    (if ([.drops | .auth_failed, .replayed, .too_old, .tx_full, .no_memory, .next_hop_unresolved] | add) == 0 then empty
     else "good packets were dropped: \(.drops | with_entries(select(.value > 0)))" end)]) |
  .call.ok = (.failures | length == 0)'
