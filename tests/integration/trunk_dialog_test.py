# SPDX-License-Identifier: BSD-3-Clause
"""trunk_dialog_test.py SERVER DOMAIN TLS_FOLDER TRUNK_ADDRESS PART: calls with a trunk that asks who we are
whenever it likes. Each part is by itself."""
import sys

from call_phone import CallPhone, direction_of, tag_of, uri_of
from trunk_phone import TrunkPhone

server, domain, tls, address, part = sys.argv[1:6]
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


def trunk_phone():
    return TrunkPhone(address, tls + "/carrier.test.pem", tls + "/carrier.test.key", tls + "/ca.pem")


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


{"challenge": challenge}[part]()
sys.exit(bad)
