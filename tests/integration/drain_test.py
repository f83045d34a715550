# SPDX-License-Identifier: BSD-3-Clause
"""drain_test.py SERVER DOMAIN CA: a call, and what another one hears. Each line that is said is waited for by one
line: "drained?", then a new call is refused; "cancelled?", then one is taken; "drained?" again, and the last call
ends by a BYE when a line comes."""
import sys

from call_phone import CallPhone

SERVER, DOMAIN, CA = sys.argv[1:4]


def asked(what):
    print(what, flush=True)
    sys.stdin.readline()


def call_up(alice, bob):
    call = alice.start("bob")
    invite = bob.request("INVITE")
    bob.say(invite, 200, "OK", bob.sdp(5000))
    alice.answered(call)
    bob.request("ACK")
    return call


def hang_up(bob, call):
    call.send("BYE")
    bob.reply(bob.request("BYE"), 200, "OK")
    assert call.phone.response("BYE").status == 200


alice = CallPhone("alice", "wonderland", SERVER, DOMAIN, CA)
bob = CallPhone("bob", "builder77", SERVER, DOMAIN, CA)
assert alice.log_in().status == 200
assert bob.log_in().status == 200
first = call_up(alice, bob)
asked("drained?")
refused = alice.start("bob")
answer = alice.response("INVITE")
refused.ack(answer)
assert answer.status == 503 and int(answer["Retry-After"]) > 0, answer.start
assert alice.log_in().status == 200   # who registers is still served
asked("cancelled?")
second = call_up(alice, bob)
hang_up(bob, second)
asked("drained?")
hang_up(bob, first)
print("over", flush=True)
