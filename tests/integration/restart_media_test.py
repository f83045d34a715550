# SPDX-License-Identifier: BSD-3-Clause
"""restart_media_test.py SERVER DOMAIN CA SRTP_PHONES CALLS: so many calls with media both ways. Says "killed?" and
waits for a line; then all must be heard again within two seconds, by phones that keep their own ROC and were asked
for nothing. Three times: with sequence numbers that have wrapped, SSRCs that are new, and at once again. In the end
the calls still work: each ends by a BYE."""
import base64
import json
import os
import subprocess
import sys
import time

from call_phone import CallPhone, key_of, port_of

SERVER, DOMAIN, CA, TOOL, CALLS = sys.argv[1:5] + [int(sys.argv[5])]
FIRST_PORT = 30000
AGAIN_MS = 2000


def hexed(key):
    return base64.b64decode(key).hex()


def line_of(port, relay, mine, theirs, ssrc, sequence):
    return "%d %s %d %s %s %d %d\n" % (port, SERVER, relay, hexed(mine), hexed(theirs), ssrc, sequence)


class Media:
    def __init__(self, lines):
        self.tool = subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.tool.stdin.write("".join(lines) + "go\n")
        self.tool.stdin.flush()

    def ask(self, command):
        self.tool.stdin.write(command + "\n")
        self.tool.stdin.flush()
        return json.loads(self.tool.stdout.readline())

    def settled(self, seconds, good):
        """The report, once it is good; or the last one."""
        end = time.monotonic() + seconds
        report = self.ask("report")
        while not good(report) and time.monotonic() < end:
            time.sleep(0.1)
            report = self.ask("report")
        return report

    def close(self):
        self.tool.stdin.close()
        self.tool.wait(10)


def make_call(alice, bob, number):
    """Two phones' lines for the tool, and the call's dialog."""
    ports = FIRST_PORT + 4 * number, FIRST_PORT + 4 * number + 2
    keys = [base64.b64encode(os.urandom(30)).decode() for _ in range(2)]
    call = alice.start("bob", alice.sdp(ports[0], key=keys[0]))
    invite = bob.request("INVITE")
    bob.say(invite, 200, "OK", bob.sdp(ports[1], key=keys[1]))
    answer = alice.answered(call)
    bob.request("ACK")
    # a third of them wraps within seconds: ROC 1, on one side, or both
    sequence = [65436 if number % 3 == 0 else 1000 + number, 65456 if number % 6 == 0 else 2000 + number]
    ssrc = [0x10000 + number * 16, 0x20000 + number * 16]
    return call, [line_of(ports[0], port_of(answer.body), keys[0], key_of(answer.body), ssrc[0], sequence[0]),
                  line_of(ports[1], port_of(invite.body), keys[1], key_of(invite.body), ssrc[1], sequence[1])]


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
made = [make_call(alice, bob, number) for number in range(CALLS)]
media = Media([line for _, lines in made for line in lines])
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
for call, _ in made:
    call.send("BYE")
    bye = bob.request("BYE")
    bob.reply(bye, 200, "OK")
    assert alice.response("BYE").status == 200
media.close()
print("done")
