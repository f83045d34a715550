# SPDX-License-Identifier: BSD-3-Clause
"""dialog_test.py SERVER DOMAIN CA PART: what the two sides of a call do in it. Each part is by itself."""
import sys

from call_phone import CallPhone, direction_of, key_of, port_of, tag_of, uri_of

server, domain, ca, part = sys.argv[1:5]
PASSWORDS = {"alice": "wonderland", "bob": "builder77", "carol": "absent99"}
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence)
    bad |= not holds


def phone(user, log_in=True):
    new = CallPhone(user, PASSWORDS[user], server, domain, ca)
    if log_in:
        assert new.log_in().status == 200
    return new


def connect(alice, bob, extra=(), answer_extra=(), **said):
    """A call of alice's that bob takes: both dialogs."""
    call = alice.start("bob", extra=extra)
    invite = bob.request("INVITE")
    bob.say(invite, 200, "OK", bob.sdp(**said), answer_extra)
    bob.request("ACK")
    alice.answered(call)
    dialog = bob.dialog_of(invite)
    dialog.invite = invite
    return call, dialog


def end(call, bob):
    call.send("BYE")
    bob.say(bob.request("BYE"), 200, "OK")
    check("the call ends with BYE", call.phone.response("BYE").status == 200)


def hold():
    alice, bob = phone("alice"), phone("bob")
    call, other = connect(alice, bob)

    call.send("INVITE", alice.sdp(direction="sendonly"))
    asked = bob.request("INVITE")
    check("hold: the other side is offered sendonly", direction_of(asked.body) == "sendonly")
    check("in the same dialog", asked["Call-ID"] == other.id and "tag=" in asked["To"])
    check("with the relay's address and key", key_of(asked.body) == key_of(other.invite.body) and
          port_of(asked.body) == port_of(other.invite.body))
    bob.say(asked, 200, "OK", bob.sdp(direction="recvonly", tag=1))
    bob.request("ACK")
    held = alice.answered(call)
    check("and its recvonly comes back", direction_of(held.body) == "recvonly")

    other.send("UPDATE", bob.sdp(direction="sendrecv", codecs=("0 PCMU/8000", "8 PCMA/8000")))
    asked = alice.request("INVITE")
    check("an UPDATE to a phone that did not say it knows UPDATE is a re-INVITE",
          direction_of(asked.body) == "sendrecv" and "PCMA" in asked.body)
    alice.say(asked, 200, "OK", alice.sdp(codecs=("8 PCMA/8000",)))
    alice.request("ACK")
    done = bob.response("UPDATE")
    check("and is answered as an UPDATE, with the new codec", done.status == 200 and "PCMA" in done.body and
          "PCMU" not in done.body)

    call.send("INVITE", alice.sdp(codecs=("9 G722/8000",)))
    bob.say(bob.request("INVITE"), 488, "Not Acceptable Here")
    bob.request("ACK")
    refused = alice.response("INVITE")
    call.ack(refused)
    check("a refusal comes back", refused.status == 488)
    call.send("INVITE", alice.sdp(direction="sendonly"))
    bob.say(bob.request("INVITE"), 503, "Service Unavailable")
    bob.request("ACK")
    refused = alice.response("INVITE")
    call.ack(refused)
    check("so does one for want of means, as another", refused.status >= 400)
    again = other.ask("UPDATE")
    check("and the call goes on as it was: an UPDATE without offer", again.status == 200 and not again.body)
    call.send("INVITE", alice.sdp(codecs=("8 PCMA/8000",), direction="inactive"))
    bob.say(bob.request("INVITE"), 200, "OK", bob.sdp(codecs=("8 PCMA/8000",), direction="inactive"))
    bob.request("ACK")
    check("and another offer passes", direction_of(alice.answered(call).body) == "inactive")
    call.send("INVITE", alice.sdp(direction="sendonly"))
    bob.say(bob.request("INVITE"), 481, "Call/Transaction Does Not Exist")
    bob.request("ACK")
    lost = alice.response("INVITE")
    call.ack(lost)
    hung_up(alice)
    check("481: the other side knows nothing of the call: it ends", lost.status >= 400)


def glare():
    alice, bob = phone("alice"), phone("bob")
    call, other = connect(alice, bob)
    call.send("INVITE", alice.sdp(direction="sendonly"))
    asked = bob.request("INVITE")
    crossed = other.ask("INVITE", bob.sdp(direction="sendonly"))
    other.ack(crossed)
    check("an offer against one that is on its way is 491", crossed.status == 491)
    check("so is an UPDATE", other.ask("UPDATE", bob.sdp()).status == 491)
    call.send("UPDATE", alice.sdp())
    second = alice.response("UPDATE")
    check("a second one of the same side is 500 with Retry-After", second.status == 500 and second["Retry-After"])
    bob.say(asked, 491, "Request Pending")
    bob.request("ACK")
    pending = alice.response("INVITE")
    call.ack(pending)
    check("491 of the other side passes", pending.status == 491)
    call.send("INVITE", alice.sdp(direction="sendonly"))
    asked = bob.request("INVITE")
    bob.say(asked, 100, "Trying")
    call.cancel()
    check("CANCEL of a re-INVITE is answered", alice.response("CANCEL").status == 200)
    bob.say(bob.request("CANCEL"), 200, "OK")
    bob.say(asked, 487, "Request Terminated")
    bob.request("ACK")
    ended = alice.response("INVITE")
    call.ack(ended)
    check("and the re-INVITE with 487", ended.status == 487)
    end(call, bob)


def late():
    alice, bob = phone("alice"), phone("bob")
    call = alice.start("bob", body="")
    invite = bob.request("INVITE")
    check("an INVITE without an offer passes as one", not invite.body)
    bob.say(invite, 180, "Ringing")
    check("and rings", alice.response("INVITE", 180).status == 180)
    bob.say(invite, 200, "OK", bob.sdp(codecs=("8 PCMA/8000",)))
    offered = alice.response("INVITE")
    check("the 2xx has the callee's offer, of the relay", "PCMA" in offered.body and
          key_of(offered.body) and port_of(offered.body) != 4000)
    call.remote, call.target = offered["To"], uri_of(offered["Contact"])
    call.ack(offered, alice.sdp(codecs=("8 PCMA/8000",)))
    acked = bob.request("ACK")
    check("the callee's ACK has the caller's answer", "PCMA" in acked.body and
          port_of(acked.body) != port_of(offered.body))

    other = bob.dialog_of(invite)
    call.send("INVITE")
    asked = bob.request("INVITE")
    check("a re-INVITE without an offer passes as one", not asked.body)
    bob.say(asked, 200, "OK", bob.sdp(codecs=("8 PCMA/8000",), direction="sendonly"))
    offered = alice.response("INVITE")
    check("with the other side's offer in its 2xx", direction_of(offered.body) == "sendonly")
    call.ack(offered, alice.sdp(codecs=("8 PCMA/8000",), direction="recvonly"))
    check("and our answer in the ACK", direction_of(bob.request("ACK").body) == "recvonly")
    check("the call goes on", other.ask("UPDATE").status == 200)
    end(call, bob)

    call = alice.start("bob", body="")
    bob.say(bob.request("INVITE"), 200, "OK", "v=0\r\nnonsense")
    bob.request("ACK")
    bob.say(bob.request("BYE"), 200, "OK")
    refused = alice.response("INVITE")
    call.ack(refused)
    check("an offer in the 2xx that can't be used ends the call", refused.status >= 400)


def again():
    """2xx that come again, and ACKs that don't come."""
    alice, bob = phone("alice"), phone("bob")
    call = alice.start("bob")
    invite = bob.request("INVITE")
    body = bob.sdp()
    bob.say(invite, 200, "OK", body)
    bob.request("ACK")
    bob.say(invite, 200, "OK", body)
    check("a 2xx that comes again is acknowledged again", bob.request("ACK").method == "ACK")
    first = alice.response("INVITE")
    again = alice.response("INVITE")
    check("our 2xx is said again until it is acknowledged", again.start == first.start)
    call.remote, call.target = first["To"], uri_of(first["Contact"])
    call.ack(first)
    end(call, bob)


def fork():
    alice, bob, desk = phone("alice"), phone("bob"), phone("bob")
    call = alice.start("bob")
    first, second = bob.request("INVITE"), desk.request("INVITE")
    check("both phones of a user ring", first["Call-ID"] != second["Call-ID"])
    check("each with keys of its own", key_of(first.body) != key_of(second.body))
    bob.say(first, 180, "Ringing")
    check("the caller hears it", alice.response("INVITE", 180).status == 180)
    desk.say(second, 183, "Session Progress", desk.sdp())
    early = alice.response("INVITE", 183)
    check("early media of one", port_of(early.body) != 4000)
    bob.say(first, 183, "Session Progress", bob.sdp())
    check("and not of a second one", alice.nothing())
    bob.say(first, 200, "OK", bob.sdp())
    bob.request("ACK")
    lost = desk.request("CANCEL")
    desk.say(lost, 200, "OK")
    desk.say(second, 487, "Request Terminated")
    check("the first 2xx wins, the other is cancelled", desk.request("ACK").method == "ACK")
    answer = alice.answered(call)
    check("early and final answer have one key of the relay's", key_of(answer.body) == key_of(early.body))
    end(call, bob)

    call = alice.start("bob")
    first, second = bob.request("INVITE"), desk.request("INVITE")
    desk.say(second, 100, "Trying")
    bob.say(first, 200, "OK", bob.sdp())
    desk.say(desk.request("CANCEL"), 200, "OK")
    desk.say(second, 200, "OK", desk.sdp())
    check("a 2xx that crosses its CANCEL is acknowledged", desk.request("ACK").method == "ACK")
    desk.say(desk.request("BYE"), 200, "OK")
    bob.request("ACK")
    alice.answered(call)
    bob.say(first, 200, "OK", bob.sdp(), tag="another")
    check("so is one of another phone behind the same target", bob.request("ACK").method == "ACK")
    stray = bob.request("BYE")
    bob.say(stray, 200, "OK")
    check("and ended", tag_of(stray["To"]) == "another")
    end(call, bob)

    call = alice.start("bob")
    first, second = bob.request("INVITE"), desk.request("INVITE")
    desk.say(second, 404, "Not Found")
    desk.request("ACK")
    bob.say(first, 486, "Busy Here")
    bob.request("ACK")
    final = alice.response("INVITE")
    call.ack(final)
    check("all have refused: one of their answers", final.status in (404, 486))

    call = alice.start("bob")
    first, second = bob.request("INVITE"), desk.request("INVITE")
    bob.say(first, 100, "Trying")
    desk.say(second, 603, "Decline")
    desk.request("ACK")
    bob.say(bob.request("CANCEL"), 200, "OK")
    bob.say(first, 487, "Request Terminated")
    bob.request("ACK")
    final = alice.response("INVITE")
    call.ack(final)
    check("6xx ends it for all", final.status == 603)


def redirect():
    alice, bob, carol = phone("alice"), phone("bob"), phone("carol")
    call = alice.start("bob")
    bob.contact = "<sip:carol@%s>" % domain
    bob.say(bob.request("INVITE"), 302, "Moved Temporarily")
    bob.request("ACK")
    invite = carol.request("INVITE")
    carol.say(invite, 200, "OK", carol.sdp())
    carol.request("ACK")
    alice.answered(call)
    check("302 to another user of ours is followed", invite is not None)
    end(call, carol)

    call = alice.start("bob")
    bob.contact = "<sip:carol@elsewhere.test>"
    bob.say(bob.request("INVITE"), 302, "Moved Temporarily")
    bob.request("ACK")
    final = alice.response("INVITE")
    call.ack(final)
    check("302 to a stranger is not", final.status == 480 and carol.nothing())

    call = alice.start("bob")
    bob.contact = "<sip:bob@%s>" % domain
    count = 0
    while True:
        message = bob.take(lambda m: not m.is_response and m.method in ("INVITE", "ACK"))
        if message.method == "INVITE":
            count += 1
            bob.say(message, 302, "Moved Temporarily")
        elif count > 5:
            break
    final = alice.response("INVITE")
    call.ack(final)
    check("a redirect in circles ends", final.status == 480 and count == 6)


def reliable():
    alice, bob = phone("alice"), phone("bob")
    call = alice.start("bob", extra=["Supported: 100rel", "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"])
    invite = bob.request("INVITE")
    check("a target is told that we know 100rel", "100rel" in invite["Supported"])
    extra = ["Require: 100rel", "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"]
    bob.say(invite, 183, "Session Progress", bob.sdp(), extra + ["RSeq: 17"])
    prack = bob.request("PRACK")
    check("its reliable 183 gets a PRACK", prack["RAck"] == "17 %s" % invite["CSeq"])
    bob.say(prack, 200, "OK")
    bob.say(invite, 183, "Session Progress", bob.sdp(), extra + ["RSeq: 17"])
    check("that comes again and gets none", bob.nothing())
    early = alice.response("INVITE", 183)
    check("the caller's is reliable, too", "100rel" in early["Require"] and early["RSeq"])
    check("its PRACK is answered", call.prack(early).status == 200)
    check("one for nothing is not", call.ask("PRACK", "", ["RAck: 4711 2 INVITE"]).status == 481)
    bob.say(invite, 180, "Ringing", "", extra + ["RSeq: 18"])
    bob.say(bob.request("PRACK"), 200, "OK")
    ringing = alice.response("INVITE", 180)
    check("the next one has the next number", int(ringing["RSeq"]) == int(early["RSeq"]) + 1)
    call.prack(ringing)

    call.send("UPDATE", alice.sdp(direction="sendonly"))
    asked = bob.request("UPDATE")
    check("UPDATE passes while it rings", direction_of(asked.body) == "sendonly")
    bob.say(asked, 200, "OK", bob.sdp(direction="recvonly"))
    check("and its answer", direction_of(alice.response("UPDATE").body) == "recvonly")
    bob.say(invite, 200, "OK")
    bob.request("ACK")
    alice.answered(call)
    end(call, bob)

    call = alice.start("bob", extra=["Require: 100rel"])
    invite = bob.request("INVITE")
    bob.say(invite, 180, "Ringing")
    ringing = alice.response("INVITE", 180)
    check("a caller that requires it gets it of a phone that can't", "100rel" in ringing["Require"])
    call.prack(ringing)
    call.cancel()
    bob.say(bob.request("CANCEL"), 200, "OK")
    bob.say(invite, 487, "Request Terminated")
    bob.request("ACK")
    final = alice.response("INVITE")
    call.ack(final)
    check("CANCEL after that", final.status == 487)


def timers():
    alice, bob = phone("alice"), phone("bob")
    call = alice.start("bob", extra=["Supported: timer", "Session-Expires: 60"])
    brief = alice.response("INVITE")
    call.ack(brief)
    check("a session timer that is too short is 422 with Min-SE", brief.status == 422 and brief["Min-SE"] == "90")
    call = alice.start("bob", extra=["Supported: timer", "Session-Expires: 100;refresher=uac"])
    invite = bob.request("INVITE")
    check("the other leg has a timer of its own", "timer" in invite["Supported"] and
          invite["Session-Expires"] == "1800")
    bob.say(invite, 200, "OK", bob.sdp(), ["Session-Expires: 90;refresher=uas", "Require: timer"])
    bob.request("ACK")
    answer = alice.answered(call)
    check("the caller's is agreed", answer["Session-Expires"] == "100;refresher=uac" and
          "timer" in answer["Require"])
    other = bob.dialog_of(invite)
    refreshed = call.ask("UPDATE", extra=["Supported: timer", "Session-Expires: 100;refresher=uac"])
    brief = other.ask("UPDATE", extra=["Supported: timer", "Session-Expires: 30"])
    check("in the call, too, a short one is 422", brief.status == 422 and brief["Min-SE"] == "90")
    check("and refreshed", refreshed.status == 200 and refreshed["Session-Expires"] == "100;refresher=uac")
    end(call, bob)

    call = alice.start("bob")
    invite = bob.request("INVITE")
    bob.say(invite, 422, "Session Interval Too Small", "", ["Min-SE: 3600"])
    bob.request("ACK")
    invite = bob.request("INVITE")
    check("a target that wants longer ones gets one", invite["Session-Expires"] == "3600" and
          invite["Min-SE"] == "3600")
    bob.say(invite, 200, "OK", bob.sdp(), ["Session-Expires: 3600;refresher=uas"])
    bob.request("ACK")
    alice.answered(call)
    end(call, bob)


def expiry():
    """Timers that run out. 90 s is the least there is: RFC 4028 4."""
    alice, bob, carol = phone("alice"), phone("bob"), phone("carol")
    for one in (alice, bob, carol):
        one.socket.settimeout(75)
    lazy = alice.start("bob", extra=["Supported: timer", "Session-Expires: 90;refresher=uac"])
    invite = bob.request("INVITE")
    bob.say(invite, 200, "OK", bob.sdp())
    bob.request("ACK")
    alice.answered(lazy)
    call = alice.start("carol")
    invite = carol.request("INVITE")
    carol.say(invite, 200, "OK", carol.sdp(), ["Session-Expires: 90;refresher=uac"])
    carol.request("ACK")
    alice.answered(call)
    refresh = carol.request("INVITE")
    check("we refresh where that is ours, after half of the time", refresh["Session-Expires"].startswith("90;"))
    carol.say(refresh, 200, "OK", carol.sdp(), ["Session-Expires: 90;refresher=uac"])
    carol.request("ACK")
    ended = alice.request("BYE")
    alice.say(ended, 200, "OK")
    bob.say(bob.request("BYE"), 200, "OK")
    check("a session that nobody refreshes ends", ended["Call-ID"] == lazy.id)
    check("and no other", call.ask("UPDATE").status == 200)
    end(call, carol)


def other_methods():
    alice, bob = phone("alice"), phone("bob")
    call, other = connect(alice, bob)
    call.send("INFO", "Signal=5\r\nDuration=160\r\n", kind="application/dtmf-relay")
    info = bob.request("INFO")
    check("INFO passes with its body", info.body == "Signal=5\r\nDuration=160\r\n" and
          info["Content-Type"] == "application/dtmf-relay")
    bob.say(info, 200, "OK")
    check("and its answer comes back", alice.response("INFO").status == 200)
    other.send("MESSAGE", "hello", kind="text/plain")
    message = alice.request("MESSAGE")
    alice.say(message, 415, "Unsupported Media Type")
    check("MESSAGE, the other way; a refusal comes back", message.body == "hello" and
          bob.response("MESSAGE").status == 415)
    options = call.ask("OPTIONS")
    check("OPTIONS in the call", options.status == 200 and "UPDATE" in options["Allow"])
    check("an unknown method is 501", call.ask("DANCE").status == 501)
    check("a known one that is not for calls is 405", call.ask("PUBLISH").status == 405)
    check("an extension that nobody knows is 420", call.ask("UPDATE", extra=["Require: magic"]).status == 420)
    check("an offer that is no SDP is 415", call.ask("UPDATE", "<xml/>", kind="text/xml").status == 415)
    call.remote += "0"
    check("a request of a call that we don't know is 481", call.ask("INFO").status == 481)
    call.remote = call.remote[:-1]
    end(call, bob)

    call = alice.start("bob", extra=["Require: magic"])
    final = alice.response("INVITE")
    call.ack(final)
    check("Require: 420 with Unsupported", final.status == 420 and final["Unsupported"] == "magic")


def referred(phone, status):
    """A NOTIFY of that status, answered."""
    said = phone.request("NOTIFY")
    phone.say(said, 200, "OK")
    check("NOTIFY: %s" % status, said.body.startswith("SIP/2.0 %d" % status) and said["Event"] == "refer" and
          said["Content-Type"].startswith("message/sipfrag"))
    return said


def hung_up(phone):
    phone.say(phone.request("BYE"), 200, "OK")


def transfer():
    alice, bob, carol = phone("alice"), phone("bob"), phone("carol")
    call, other = connect(alice, bob)
    call.send("INVITE", alice.sdp(direction="sendonly"))
    bob.say(bob.request("INVITE"), 200, "OK", bob.sdp(direction="recvonly"))
    bob.request("ACK")
    alice.answered(call)
    check("REFER is accepted", call.ask("REFER", extra=["Refer-To: <sip:carol@%s>" % domain]).status == 202)
    referred(alice, 100)
    invite = carol.request("INVITE")
    check("who comes in is called by who stays", "sip:bob@" in invite["From"] and not invite.body)
    check("and told by whom it was referred", "sip:alice@" in invite["Referred-By"])
    carol.say(invite, 180, "Ringing")
    referred(alice, 180)
    carol.say(invite, 200, "OK", carol.sdp(codecs=("8 PCMA/8000",)))
    asked = bob.request("INVITE")
    check("who stays gets the new one's offer, off hold", direction_of(asked.body) == "sendrecv" and
          "PCMA" in asked.body and asked["Call-ID"] == other.id)
    bob.say(asked, 200, "OK", bob.sdp(codecs=("8 PCMA/8000",)))
    bob.request("ACK")
    acked = carol.request("ACK")
    check("whose answer comes with the ACK", "PCMA" in acked.body and port_of(acked.body) != 4000)
    done = referred(alice, 200)
    check("and the subscription ends", done["Subscription-State"].startswith("terminated"))
    hung_up(alice)
    new = carol.dialog_of(invite)
    new.send("INVITE", carol.sdp(codecs=("8 PCMA/8000",), direction="sendonly"))
    asked = bob.request("INVITE")
    check("the two are in a call", direction_of(asked.body) == "sendonly")
    bob.say(asked, 200, "OK", bob.sdp(codecs=("8 PCMA/8000",), direction="recvonly"))
    bob.request("ACK")
    carol.answered(new)
    other.send("BYE")
    hung_up(carol)
    check("and end it", bob.response("BYE").status == 200)

    call, other = connect(alice, bob)
    call.ask("REFER", extra=["Refer-To: <sip:carol@%s>" % domain])
    referred(alice, 100)
    carol.say(carol.request("INVITE"), 486, "Busy Here")
    carol.request("ACK")
    referred(alice, 486)
    check("one that fails leaves the call as it was", call.ask("UPDATE").status == 200)
    call.ask("REFER", extra=["Refer-To: <sip:nobody@%s>" % domain])
    referred(alice, 100)
    referred(alice, 404)
    check("REFER without Refer-To is 400", call.ask("REFER").status == 400)
    check("nobody has us send a BYE", call.ask(
        "REFER", extra=["Refer-To: <sip:carol@%s;method=BYE>" % domain]).status == 403)

    call.ask("REFER", extra=["Refer-To: <sip:carol@%s>" % domain])
    referred(alice, 100)
    invite = carol.request("INVITE")
    check("who transfers may hang up at once", call.hang_up().status == 200)
    carol.say(invite, 200, "OK", carol.sdp())
    bob.say(bob.request("INVITE"), 200, "OK", bob.sdp())
    bob.request("ACK")
    carol.request("ACK")
    other.send("BYE")
    hung_up(carol)
    check("and the call goes on", bob.response("BYE").status == 200)

    desk = phone("carol")
    call, other = connect(alice, bob)
    call.ask("REFER", extra=["Refer-To: <sip:carol@%s>" % domain])
    referred(alice, 100)
    first, second = carol.request("INVITE"), desk.request("INVITE")
    carol.say(first, 100, "Trying")
    desk.say(second, 200, "OK", desk.sdp())
    carol.say(carol.request("CANCEL"), 200, "OK")
    carol.say(first, 487, "Request Terminated")
    check("all phones of who comes in ring, the first wins", carol.request("ACK") is not None)
    bob.say(bob.request("INVITE"), 488, "Not Acceptable Here")
    bob.request("ACK")
    desk.request("ACK")
    hung_up(desk)
    referred(alice, 488)
    check("who stays refuses its offer: all is as it was", call.ask("UPDATE").status == 200)
    end(call, bob)
    desk.register([desk.answer(desk.challenge(), "REGISTER", "sip:" + domain), "Expires: 0"])

    # attended: alice has calls with bob and with carol, and joins them
    call, other = connect(alice, bob)
    second = alice.start("carol")
    invite = carol.request("INVITE")
    carol.say(invite, 200, "OK", carol.sdp())
    carol.request("ACK")
    alice.answered(second)
    replaces = "%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s" % (
        second.id, tag_of(second.remote), tag_of(second.local))
    check("REFER with Replaces", call.ask(
        "REFER", extra=["Refer-To: <sip:carol@%s?Replaces=%s>" % (domain, replaces)]).status == 202)
    referred(alice, 100)
    asked = carol.request("INVITE")
    check("the other call's other side is asked for an offer", not asked.body and
          asked["Call-ID"] == invite["Call-ID"])
    carol.say(asked, 200, "OK", carol.sdp())
    bob.say(bob.request("INVITE"), 200, "OK", bob.sdp())
    bob.request("ACK")
    check("and gets the answer", "m=audio" in carol.request("ACK").body)
    referred(alice, 200)
    hung_up(alice)
    hung_up(alice)
    check("both calls of who joined them end", True)
    other.send("BYE")
    hung_up(carol)
    check("the two were in one", bob.response("BYE").status == 200)

    # somebody else's dialog
    call, other = connect(alice, bob)
    second = bob.start("carol")
    invite = carol.request("INVITE")
    carol.say(invite, 200, "OK", carol.sdp())
    carol.request("ACK")
    bob.answered(second)
    replaces = "%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s" % (
        second.id, tag_of(second.remote), tag_of(second.local))
    call.ask("REFER", extra=["Refer-To: <sip:carol@%s?Replaces=%s>" % (domain, replaces)])
    referred(alice, 100)
    referred(alice, 481)
    end(call, bob)
    end(second, carol)


def replaces_of(dialog, extra=""):
    return "Replaces: %s;to-tag=%s;from-tag=%s%s" % (dialog.id, tag_of(dialog.remote), tag_of(dialog.local), extra)


def refused(phone_, *lines):
    call = phone_.start("bob", extra=lines)
    response = phone_.response("INVITE")
    call.ack(response)
    return response.status


def replace():
    """INVITE with Replaces: another phone of the same user takes over."""
    alice, bob = phone("alice"), phone("bob")
    call, other = connect(alice, bob)
    desk, carol = phone("alice"), phone("carol")
    check("somebody else does not get into the call: 481", refused(carol, replaces_of(call)) == 481)
    check("nor by the other side's dialog", refused(desk, replaces_of(other)) == 481)
    check("a dialog that nobody has: 481", refused(desk, replaces_of(call)[:-1] + "x") == 481)
    check("two at once: 400", refused(desk, replaces_of(call), replaces_of(call)) == 400)
    for broken in ("Replaces: ;;=", "Replaces: %s;to-tag" % call.id):
        check("one that can't be read: 400 (%s)" % broken[:16], refused(desk, broken) == 400)
    check("early-only, and it is not: 486", refused(desk, replaces_of(call, ";early-only")) == 486)
    check("and nobody has heard of that", alice.nothing() and bob.nothing())
    new = desk.start("bob", extra=["Require: replaces", replaces_of(call)])
    answer = desk.answered(new)
    check("another phone of the same user takes over", key_of(answer.body) and "replaces" in answer["Supported"])
    hung_up(alice)
    check("who stays hears nothing, where all is as it was", bob.nothing())
    other.send("INFO", "Signal=5\r\n", kind="application/dtmf-relay")
    desk.say(desk.request("INFO"), 200, "OK")
    check("requests of who stays go to it", bob.response("INFO").status == 200)

    back = alice.start("bob", alice.sdp(codecs=("8 PCMA/8000",)), [replaces_of(new)])
    asked = bob.request("INVITE")
    check("other codecs are offered to who stays", "PCMA" in asked.body and asked["Call-ID"] == other.id)
    bob.say(asked, 488, "Not Acceptable Here")
    bob.request("ACK")
    final = alice.response("INVITE")
    back.ack(final)
    check("refused: the call is as it was", final.status == 488 and new.ask("UPDATE").status == 200)

    back = alice.start("bob", "", [replaces_of(new)])
    asked = bob.request("INVITE")
    bob.say(asked, 200, "OK", bob.sdp())
    offered = alice.response("INVITE")
    back.remote, back.target = offered["To"], uri_of(offered["Contact"])
    back.ack(offered, alice.sdp())
    check("without an offer: that comes from who stays", not asked.body and key_of(offered.body) and
          "m=audio" in bob.request("ACK").body)
    hung_up(desk)
    mobile = phone("bob")
    taken = mobile.start("alice", extra=[replaces_of(other)])
    mobile.answered(taken)
    hung_up(bob)
    taken.send("BYE")
    hung_up(alice)
    check("the callee's phones can, too", mobile.response("BYE").status == 200)


    call = alice.start("carol")
    ringing = carol.request("INVITE")
    carol.say(ringing, 180, "Ringing")
    call.remote = alice.response("INVITE", 180)["To"]
    check("a call that still rings is not taken over, by phones of either side: 481",
          refused(desk, replaces_of(call)) == 481 and
          refused(phone("carol", False), replaces_of(carol.dialog_of(ringing))) == 481)
    carol.say(ringing, 486, "Busy Here")
    carol.request("ACK")
    call.ack(alice.response("INVITE", 486))


def loop():
    alice, bob = phone("alice"), phone("bob")
    call = alice.start("bob")
    invite = bob.request("INVITE")
    back = phone("alice", False)
    uri = invite.start.split()[1]
    headers = ["Via: SIP/2.0/TLS %s;branch=z9hG4bKback;rport" % back.local, "Max-Forwards: 60",
               "From: " + invite["From"], "To: " + invite["To"], "Call-ID: " + invite["Call-ID"],
               "CSeq: %s" % invite["CSeq"], "Contact: " + back.contact]
    back.send("INVITE %s SIP/2.0" % uri, headers, "")
    first = back.response("INVITE")
    back.send("ACK %s SIP/2.0" % uri, headers[:5] + ["CSeq: %s ACK" % invite["CSeq"].split()[0]])
    headers[0] = "Via: SIP/2.0/TLS %s;branch=z9hG4bKback2;rport" % back.local
    back.send("INVITE %s SIP/2.0" % uri, headers + [back.credentials(first, "INVITE", uri)], "")
    check("a call that comes back to us is a loop: 482", back.response("INVITE").status == 482)
    bob.say(invite, 486, "Busy Here")
    call.ack(alice.response("INVITE"))


def lost():
    alice, bob = phone("alice"), phone("bob")
    call, other = connect(alice, bob)
    bob.close()
    bob = phone("bob")
    import time
    deadline = time.time() + 8
    while time.time() < deadline:  # until the old connection has been noticed to be gone
        call.send("INFO", "Signal=1\r\n", kind="application/dtmf-relay")
        bob.socket.settimeout(0.5)
        try:
            info = bob.request("INFO")
            break
        except TimeoutError:
            info = None
    bob.socket.settimeout(10)
    check("a phone that comes back by registering has its dialog again", info is not None)
    bob.say(info, 200, "OK")
    end(call, bob)


def sips():
    """RFC 5630: who is reached by sips: is told a Contact that is."""
    alice, bob = phone("alice"), phone("bob", False)
    bob.contact = "<sips:bob@%s>" % bob.local
    assert bob.log_in().status == 200
    call = alice.start("bob")
    invite = bob.request("INVITE")
    check("a phone that registered a sips: URI is called by it, and our Contact is one, too",
          invite.start.startswith("INVITE sips:") and invite["Contact"].startswith("<sips:"))
    bob.say(invite, 200, "OK", bob.sdp())
    bob.request("ACK")
    answer = alice.answered(call)
    check("the other side, which said sip:, hears sip:", answer["Contact"].startswith("<sip:"))
    end(call, bob)
    alice.contact = "<sips:alice@%s>" % alice.local
    call, other = connect(alice, bob)
    check("a caller by sips: gets sips:", call.target.startswith("sips:"))
    other.send("BYE")
    alice.say(alice.request("BYE"), 200, "OK")
    check("requests pass in both dialogs", bob.response("BYE").status == 200)


{"hold": hold, "glare": glare, "late": late, "again": again, "fork": fork, "redirect": redirect,
 "reliable": reliable, "timers": timers, "expiry": expiry, "methods": other_methods, "transfer": transfer, "replace": replace, "loop": loop, "lost": lost, "sips": sips}[part]()
sys.exit(bad)
