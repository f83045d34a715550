# SPDX-License-Identifier: BSD-3-Clause
"""trunk_dialog_test.py SERVER DOMAIN TLS_FOLDER TRUNK_ADDRESS PART ELSEWHERE SALLYCTL SOCKET: calls with a trunk
that asks who we are whenever it likes, and with one that is by another interface. Each part is by itself."""
import json
import re
import subprocess
import sys

from call_phone import CallPhone, direction_of, key_of, port_of
from trunk_phone import TrunkPhone

server, domain, tls, address, part, other_address, sallyctl, relay = sys.argv[1:9]
PASSWORDS = {"alice": "wonderland", "bob": "builder77", "carol": "absent99"}
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence)
    bad |= not holds


def phone(user):
    new = CallPhone(user, PASSWORDS[user], server, domain, tls + "/ca.pem")
    assert new.log_in().status == 200
    return new


def trunk_phone(at=address):
    return TrunkPhone(at, tls + "/carrier.test.pem", tls + "/carrier.test.key", tls + "/ca.pem")


def asked_twice(trunk, method, status=407):
    """The next such request is challenged; returns it as it comes again, with the proof."""
    first = trunk.request(method)
    trunk.challenge_it(first, status)
    if method == "INVITE":
        trunk.request("ACK")
    again = trunk.request(method)
    check("%s: %d is answered" % (method, status), trunk.knows(again, status))
    check("with the same body, as a request of its own", (again.body == first.body or "tag=" not in first["To"]) and
          int(again["CSeq"].split()[0]) == int(first["CSeq"].split()[0]) + 1 and
          again["Via"] != first["Via"] and again["Content-Type"] == first["Content-Type"])
    return again


def connect(alice, trunk, number="+49123", challenged=True, extra=()):
    call = alice.start(number)
    invite = asked_twice(trunk, "INVITE") if challenged else trunk.request("INVITE")
    trunk.say(invite, 200, "OK", trunk.sdp(), extra)
    acked = trunk.request("ACK")
    if challenged:
        check("its ACK has the INVITE's proof", trunk.knows(acked, method="INVITE"))
    alice.answered(call)
    return call, trunk.dialog_of(invite)


def hung_up(phone_):
    phone_.say(phone_.request("BYE"), 200, "OK")


def challenge():
    alice, trunk = phone("alice"), trunk_phone()
    call, other = connect(alice, trunk, extra=["Allow: INVITE, ACK, BYE, CANCEL, UPDATE, INFO"])
    call.send("INVITE", alice.sdp(direction="sendonly"))
    asked = asked_twice(trunk, "INVITE")
    check("re-INVITE: with the offer", direction_of(asked.body) == "sendonly")
    trunk.say(asked, 200, "OK", trunk.sdp(direction="recvonly"))
    check("and its ACK has its proof, too", trunk.knows(trunk.request("ACK"), method="INVITE"))
    check("whose answer comes back", direction_of(alice.answered(call).body) == "recvonly")

    call.send("UPDATE", alice.sdp())
    asked = asked_twice(trunk, "UPDATE", 401)
    trunk.say(asked, 200, "OK", trunk.sdp())
    check("UPDATE", alice.response("UPDATE").status == 200)
    call.send("INFO", "Signal=5\r\n", kind="application/dtmf-relay")
    trunk.say(asked_twice(trunk, "INFO", 401), 200, "OK")
    check("INFO", alice.response("INFO").status == 200)
    call.send("MESSAGE", "hello", kind="text/plain")
    trunk.say(asked_twice(trunk, "MESSAGE"), 202, "Accepted")
    check("MESSAGE", alice.response("MESSAGE").status == 202)

    call.send("UPDATE", alice.sdp(direction="sendonly"))
    trunk.challenge_it(trunk.request("UPDATE"))
    trunk.challenge_it(trunk.request("UPDATE"))
    refused = alice.response("UPDATE")
    check("one that refuses our proof gets none again, and no phone its challenge",
          refused.status == 500 and not refused["Proxy-Authenticate"])
    call.send("INVITE", alice.sdp(direction="inactive"))
    asked = asked_twice(trunk, "INVITE")
    trunk.say(asked, 200, "OK", trunk.sdp(direction="inactive"))
    trunk.request("ACK")
    check("and the call goes on", direction_of(alice.answered(call).body) == "inactive")
    call.send("BYE")
    trunk.say(asked_twice(trunk, "BYE"), 200, "OK")
    check("BYE", alice.response("BYE").status == 200)

    # a trunk that challenges what it has already said yes to before: PRACK
    call = alice.start("+49124")
    invite = asked_twice(trunk, "INVITE")
    trunk.say(invite, 180, "Ringing", "", ["Require: 100rel", "RSeq: 7"])
    prack = asked_twice(trunk, "PRACK")
    check("PRACK", prack["RAck"] == "7 " + invite["CSeq"])
    trunk.say(prack, 200, "OK")
    trunk.say(invite, 486, "Busy Here")
    trunk.request("ACK")
    call.ack(alice.response("INVITE", 486))


def referred(phone_, status):
    said = phone_.request("NOTIFY")
    phone_.say(said, 200, "OK")
    check("NOTIFY: %d" % status, said.body.startswith("SIP/2.0 %d" % status))


def call_of(caller, callee):
    call = caller.start(callee.user)
    invite = callee.request("INVITE")
    callee.say(invite, 200, "OK", callee.sdp())
    callee.request("ACK")
    caller.answered(call)
    return call, callee.dialog_of(invite)


def transfer():
    """Limits: one call a user, one of the trunk."""
    alice, bob, carol, trunk = phone("alice"), phone("bob"), phone("carol"), trunk_phone()
    call, other = call_of(alice, bob)
    check("a transfer to the trunk", call.ask("REFER", extra=["Refer-To: <sip:+49125@%s>" % domain]).status == 202)
    referred(alice, 100)
    invite = asked_twice(trunk, "INVITE")
    check("who stays is asserted to it", invite["P-Asserted-Identity"] == "<sip:bob@sbc.demo.test>" and
          "sip:bob@sbc.demo.test" in invite["From"])
    check("and who transfers is told", "sip:alice@sbc.demo.test" in invite["Referred-By"])
    trunk.say(invite, 200, "OK", trunk.sdp())
    bob.say(bob.request("INVITE"), 200, "OK", bob.sdp())
    bob.request("ACK")
    acked = trunk.request("ACK")
    check("the answer comes with the ACK, and our proof", "m=audio" in acked.body and
          trunk.knows(acked, method="INVITE"))
    referred(alice, 200)
    hung_up(alice)
    second = carol.start("+49126")
    full = carol.response("INVITE")
    second.ack(full)
    check("it counts as the trunk's call", full.status == 503)
    own, far = call_of(alice, carol)
    check("and no longer as that of who has left", own is not None)
    own.ask("REFER", extra=["Refer-To: <sip:+49127@%s>" % domain])
    referred(alice, 100)
    referred(alice, 503)
    check("a transfer beyond a limit fails", trunk.nothing())
    own.ask("REFER", extra=["Refer-To: <sip:bob@%s>" % domain])
    referred(alice, 100)
    referred(alice, 486)
    other.send("BYE")
    trunk.say(asked_twice(trunk, "BYE", 401), 200, "OK")
    check("the transferred call ends", bob.response("BYE").status == 200)
    own.ask("REFER", extra=["Refer-To: <sip:bob@%s>" % domain])
    referred(alice, 100)
    bob.say(bob.request("INVITE"), 603, "Decline")
    bob.request("ACK")
    referred(alice, 603)
    far.send("BYE")
    hung_up(alice)
    check("and the other", carol.response("BYE").status == 200)
    call, other = call_of(carol, bob)
    check("one that failed holds nothing", call is not None)
    call.send("BYE")
    hung_up(bob)
    carol.response("BYE")


def place_of(body):
    """Where the relay takes this leg's media."""
    return "%s:%d" % (re.search(r"(?m)^c=IN IP4 (\S+)", body).group(1), port_of(body))


def relayed():
    """The legs' local addresses of the only session."""
    def show(*words):
        shown = subprocess.run([sallyctl, "--socket", relay, "--json", "sessions", *words], check=True,
                               stdout=subprocess.PIPE)
        return json.loads(shown.stdout)
    sessions = show()
    return [leg["local_rtp"] for leg in show(sessions[0]["id"])["legs"]] if len(sessions) == 1 else sessions


def elsewhere():
    """The first trunk can't take the call, and the second is in another network of ours."""
    alice, here, there = phone("alice"), trunk_phone(), trunk_phone(other_address)
    for number, first, second, network in (("+43123", here, there, "203.0.113.1:"), ("+44123", there, here, "192.0.2.1:")):
        call = alice.start(number)
        tried = first.request("INVITE")
        first.say(tried, 500, "Server Internal Error")
        first.request("ACK")
        invite = second.request("INVITE")
        check("it is offered ports there, and keys of its own", place_of(invite.body).startswith(network) and
              place_of(tried.body) != place_of(invite.body) and key_of(tried.body) != key_of(invite.body))
        second.say(invite, 200, "OK", second.sdp())
        second.request("ACK")
        answer = alice.answered(call)
        check("the call is up, of one session with these ports",
              relayed() == [place_of(answer.body), place_of(invite.body)])
        second.dialog_of(invite).send("BYE")
        hung_up(alice)
        check("and ends", second.response("BYE").status == 200)

    call = alice.start("+43124")
    tried = here.request("INVITE")
    here.say(tried, 183, "Session Progress", here.sdp())
    early = alice.response("INVITE", 183)
    here.say(tried, 500, "Server Internal Error")
    here.request("ACK")
    call.ack(alice.response("INVITE"))
    check("once the caller knows our ports, it goes to nobody else", "m=audio" in early.body and there.nothing())
    call = alice.start("+43125", scheme="sips")
    for trunk in (here, there):
        invite = trunk.request("INVITE")
        check("who is called by a sips: URI, is so by the trunk, too (RFC 5630)", invite.start.startswith(
            "INVITE sips:+43125@") and "<sips:" in invite["Contact"] and "<sips:" in invite["To"])
        trunk.say(invite, 500, "Server Internal Error")
        trunk.request("ACK")
    refused = alice.response("INVITE")
    call.ack(refused)
    check("where neither can take it, the caller hears so", refused.status == 500)
    call = alice.start("+43126")
    here.say(here.request("INVITE"), 500, "Server Internal Error")
    here.request("ACK")
    ringing = there.request("INVITE")
    there.say(ringing, 180, "Ringing")
    alice.response("INVITE", 180)
    call.cancel()
    there.say(there.request("CANCEL"), 200, "OK")
    there.say(ringing, 487, "Request Terminated")
    there.request("ACK")
    call.ack(alice.response("INVITE", 487))


{"challenge": challenge, "transfer": transfer, "elsewhere": elsewhere}[part]()
sys.exit(bad)
