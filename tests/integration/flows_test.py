# SPDX-License-Identifier: BSD-3-Clause
"""flows_test.py SERVER DOMAIN CA PART: who is called, and by which connection. Each part is by itself, but for
"after", which comes after "before" and a restart."""
import sys
import time

from call_phone import CallPhone
from phone import token

server, domain, ca, part = sys.argv[1:5]
PASSWORDS = {"alice": "wonderland", "bob": "builder77"}
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence)
    bad |= not holds


def instance(number):
    return ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-%012d>"' % number


def phone(user, params="", extra=()):
    """Registered, with these parameters of its Contact."""
    new = CallPhone(user, PASSWORDS[user], server, domain, ca)
    new.contact += params
    first = new.register(extra)
    uri = "sip:" + domain
    assert new.register(list(extra) + [new.credentials(first, "REGISTER", uri)]).status == 200
    return new


def end(call, other):
    call.send("BYE")
    other.say(other.request("BYE"), 200, "OK")
    check("the call ends with BYE", call.phone.response("BYE").status == 200)


def take(call, invite, other):
    other.say(invite, 200, "OK", other.sdp())
    other.request("ACK")
    call.phone.answered(call)
    return other.dialog_of(invite)


def q():
    alice = phone("alice")
    last, first, second = phone("bob", ";q=0.1"), phone("bob"), phone("bob", ";q=0.5")
    call = alice.start("bob")
    invite = first.request("INVITE")
    check("the highest q rings, and nobody else", second.nothing() and last.nothing())
    first.say(invite, 480, "Temporarily Unavailable")
    first.request("ACK")
    invite = second.request("INVITE")
    check("then the next", last.nothing())
    second.say(invite, 480, "Temporarily Unavailable")
    second.request("ACK")
    take(call, last.request("INVITE"), last)
    check("and then the last, who takes it", True)
    end(call, last)


def path():
    alice = phone("alice")
    bob = phone("bob", extra=["Supported: path", "Path: <sip:edge.test;lr>", "Path: <sip:far.test;lr>"])
    call = alice.start("bob")
    invite = bob.request("INVITE")
    routes = ", ".join(invite.all("Route")).replace(" ", "")
    check("the Path is the Route", routes == "<sip:edge.test;lr>,<sip:far.test;lr>")
    check("and the contact the Request-URI", invite.start.split()[1] == bob.contact.strip("<>"))
    take(call, invite, bob)
    end(call, bob)


def flows():
    alice = phone("alice")
    old = phone("bob", instance(1) + ";reg-id=1", ["Supported: outbound"])
    new = phone("bob", instance(1) + ";reg-id=2", ["Supported: outbound"])
    call = alice.start("bob")
    invite = new.request("INVITE")
    check("of two flows of one phone the newest is called alone", old.nothing())
    take(call, invite, new)
    end(call, new)
    new.close()
    deadline = time.time() + 8
    while time.time() < deadline:  # until it is noticed
        call = alice.start("bob")
        if not old.nothing(0.3):
            break
        call.ack(alice.response("INVITE"))
    take(call, old.request("INVITE"), old)
    check("when that closes, the other one", True)
    end(call, old)


def phones():
    """One of two phones of a user loses its connection in a call."""
    alice, desk = phone("alice"), phone("bob", instance(2))
    bob = phone("bob", instance(1) + ";q=0.9")
    call = alice.start("bob")
    desk.say(desk.request("INVITE"), 480, "Temporarily Unavailable")
    desk.request("ACK")
    take(call, bob.request("INVITE"), bob)
    bob.close()
    bob = phone("bob", instance(1) + ";q=0.9")
    info, deadline = None, time.time() + 8
    while info is None and time.time() < deadline:
        call.send("INFO", "Signal=1\r\n", kind="application/dtmf-relay")
        bob.socket.settimeout(0.5)
        try:
            info = bob.request("INFO")
        except TimeoutError:
            pass
    bob.socket.settimeout(10)
    check("the one that comes back has its call again", info is not None)
    check("and the other one heard nothing of it", desk.nothing())
    bob.say(info, 200, "OK")
    end(call, bob)


def before():
    phone("bob", instance(7))


def after():
    alice = phone("alice")
    bob = CallPhone("bob", PASSWORDS["bob"], server, domain, ca)
    bob.contact += instance(7)
    call = alice.start("bob")
    refused = alice.response("INVITE")
    call.ack(refused)
    check("a phone that has not come back can't be called", refused.status == 480)
    nobody = bob.start("nobody-" + token())
    refused = bob.response("INVITE")
    nobody.ack(refused)
    check("it makes a call of its own, which comes to nothing", refused.status == 404)
    call = alice.start("bob")
    take(call, bob.request("INVITE"), bob)
    check("and can be called, without having registered anew", True)
    end(call, bob)


{"q": q, "path": path, "flows": flows, "phones": phones, "before": before, "after": after}[part]()
sys.exit(bad)
