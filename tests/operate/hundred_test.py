# SPDX-License-Identifier: BSD-3-Clause
"""hundred_test.py SERVER DOMAIN CA SRTP_PHONES CALLS: so many calls, with media both ways, under which the script that
runs this does what it is asked for ("reload?", "upgrade?", "watch?") and answers by a line. No packet may be missing at
any phone, no phone may be asked for anything; then half of the calls are ended by the caller, half by the callee."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

from call_phone import CallPhone
from media_phones import Media, make_call

SERVER, DOMAIN, CA, TOOL, CALLS = sys.argv[1:5] + [int(sys.argv[5])]
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence, flush=True)
    bad |= not holds


class InstancePhone(CallPhone):
    """One that connects anew, and is known to be the same by its instance."""

    def __init__(self, user, password, instance):
        super().__init__(user, password, SERVER, DOMAIN, CA)
        self.instance = instance
        self.register_instance()

    def register_instance(self):
        self.contact += ';+sip.instance="<urn:uuid:%s>"' % self.instance
        assert self.log_in().status == 200

    def reconnect(self):
        kept = self.tags, self.session
        super().__init__(self.user, self.password, SERVER, DOMAIN, CA)
        self.tags, self.session = kept
        self.register_instance()

    def left_alone(self):
        return self.nothing(0.3) and not [m for m in self.kept if not m.is_response]


def ask_script(what):
    print(what, flush=True)
    assert sys.stdin.readline(), "the script has gone"


def whole(report):
    """Nothing is on its way, and nothing missing."""
    return all(phone["lost"] == 0 and phone["heard"] == report[i ^ 1]["sent"] for i, phone in enumerate(report))


def none_lost(report, what):
    wrong = ["phone %d of call %d: %r" % (i % 2, i // 2, phone) for i, phone in enumerate(report)
             if phone["lost"] or phone["bad"] or phone["again"] or phone["last_ms"] > 500]
    if wrong:
        print("\n".join(wrong[:5] + ["%d such phones" % len(wrong)]))
    check("%s: 0 lost of %d packets, the longest silence %d ms" % (
        what, sum(phone["packets"] for phone in report), max(phone["longest_ms"] for phone in report)), not wrong)


alice = InstancePhone("alice", "wonderland", "5a5a-0001")
bob = InstancePhone("bob", "builder77", "5a5a-0002")
made = [make_call(alice, bob, number, SERVER) for number in range(CALLS)]
dialogs = [(call, bob.dialog_of(invite)) for call, _, invite in made]
lines = [line for _, pair, _ in made for line in pair]
media = Media(TOOL, lines)
media.settled(10, lambda report: all(phone["packets"] > 20 for phone in report))
media.ask("mark")
ask_script("reload?")
check("the phones were asked for nothing", alice.left_alone() and bob.left_alone())
none_lost(media.ask("report"), "reload")

ask_script("upgrade?")
alice.reconnect()
bob.reconnect()
check("an UPDATE by either side of every fifth call is answered", all(
    end.ask("UPDATE").status == 200 for pair in dialogs[::5] for end in pair))
none_lost(media.ask("report"), "upgrade of sallyport-sip")

ask_script("watch?")
none_lost(media.ask("report"), "all of it")
media.ask("hush")
report = media.settled(3, whole)
check("the last packet of each phone was heard, and all before it", whole(report))
sent = sum(phone["sent"] - int(line.split()[-1]) for phone, line in zip(report, lines))
ask_script("sent %d" % sent)

answered = 0
for number, (call, other) in enumerate(dialogs):
    first, second = (call, other) if number % 2 else (other, call)
    first.send("BYE")
    bye = second.phone.request("BYE")
    second.phone.say(bye, 200, "OK")
    answered += first.phone.response("BYE").status == 200 and bye["Call-ID"] == second.id
check("%d calls ended by BYE" % CALLS, answered == CALLS)
media.close()
sys.exit(bad)
