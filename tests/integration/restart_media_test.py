# SPDX-License-Identifier: BSD-3-Clause
"""restart_media_test.py SERVER DOMAIN CA SRTP_PHONES CALLS: so many calls with media both ways. Says "killed?" and
waits for a line; then all must be heard again within two seconds, by phones that keep their own ROC and were asked
for nothing. Three times: with sequence numbers that have wrapped, SSRCs that are new, and at once again. In the end
the calls still work: each ends by a BYE."""
import sys
import time

from call_phone import CallPhone
from media_phones import Media, make_call

SERVER, DOMAIN, CA, TOOL, CALLS = sys.argv[1:5] + [int(sys.argv[5])]
AGAIN_MS = 2000


def all_heard(report):
    return all(phone["packets"] >= 10 and phone["last_ms"] < 500 for phone in report)


def check_heard(report, what, longest):
    wrong = ["phone %d of call %d: %r" % (i % 2, i // 2, phone) for i, phone in enumerate(report)
             if phone["packets"] < 10 or phone["last_ms"] > 500 or phone["longest_ms"] > longest or
             phone["bad"] > 0 or phone["again"] > 0]
    silences = sorted(phone["longest_ms"] for phone in report)
    print("%s: longest silence %d ms, median %d ms; %d of %d phones not as they should be" % (
        what, silences[-1], silences[len(silences) // 2], len(wrong), len(report)), flush=True)
    assert not wrong, "\n".join(wrong[:10])


def crash(media, what, meanwhile=None):
    media.ask("mark")
    print("killed?", flush=True)
    sys.stdin.readline()
    if meanwhile:
        meanwhile()
    time.sleep(0.2)
    report = media.settled(4, all_heard)
    check_heard(report, what, AGAIN_MS)


def quiet(phone):
    return phone.nothing(0.3) and not [m for m in phone.kept if not m.is_response]


alice = CallPhone("alice", "wonderland", SERVER, DOMAIN, CA)
bob = CallPhone("bob", "builder77", SERVER, DOMAIN, CA)
assert alice.log_in().status == 200
assert bob.log_in().status == 200
made = [make_call(alice, bob, number, SERVER) for number in range(CALLS)]
media = Media(TOOL, [line for _, lines, _ in made for line in lines])
media.ask("mark")
check_heard(media.settled(10, all_heard), "before", 10000)
media.ask("ssrc 2 %d" % 0x7000001)   # of call 1: known to the control plane by the time of the crash
time.sleep(4)                        # numbers wrap, and the relay is asked twice
report = media.ask("report")
assert [phone["roc"] for phone in report[:2]] == [1, 1] and report[2]["roc"] == 0, report[:3]


def others():
    media.ask("ssrc 4 %d" % 0x7000002)   # of call 2: while the relay is away


crash(media, "first", others)
crash(media, "at once again")
time.sleep(3)
crash(media, "third")
assert quiet(alice) and quiet(bob), "a phone was asked for something"
for call, _, _ in made:
    call.send("BYE")
    bye = bob.request("BYE")
    bob.reply(bye, 200, "OK")
    assert alice.response("BYE").status == 200
media.close()
print("done")
