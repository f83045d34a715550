# SPDX-License-Identifier: BSD-3-Clause
"""headers_test.py SERVER DOMAIN CA: what of one side's headers is seen by the other in calls."""
import re
import sys

from call_phone import CallPhone

server, domain, ca = sys.argv[1:4]
PASSWORDS = {"alice": "wonderland", "bob": "builder77", "carol": "absent99"}
IDENTITY = "eyJhbGciOiJFUzI1NiJ9.eyJvcmlnIjp7InRuIjoiMTIifX0.c2ln;info=<https://cert.example/p.cer>;alg=ES256"
DATE = "Thu, 21 Feb 2002 13:02:03 GMT"
# what tells of a network, and what nobody asked for
OWN = ["User-Agent: SecretAgent/1", "Server: SecretServer/1", "Warning: 399 10.9.8.7 \"secret\"",
       "Organization: secret", "X-Secret: secret", "Record-Route: <sip:10.1.1.1;lr>"]
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence, flush=True)
    bad |= not holds


def phone(user):
    new = CallPhone(user, PASSWORDS[user], server, domain, ca)
    assert new.log_in().status == 200
    return new


def shows_nothing_of(other, call, message):
    """No header tells where the other phone is, what it is, or how its own dialog is called."""
    text = message.start + "\r\n" + "\r\n".join("%s: %s" % pair for pair in message.headers)
    found = [secret for secret in (other.local, other.contact, "secret", "10.9.8.7", call)
             if secret.lower() in text.lower()]
    if found:
        print("%s in:\n%s" % (found, text))
    return not found


def connect(alice, bob, extra=(), answer=()):
    call = alice.start("bob", extra=extra)
    invite = bob.request("INVITE")
    bob.say(invite, 180, "Ringing", extra=answer)
    ringing = alice.response("INVITE", 180)
    bob.say(invite, 200, "OK", bob.sdp(), answer)
    bob.request("ACK")
    return call, invite, ringing, alice.answered(call)


def end(call, bob):
    call.send("BYE")
    bob.say(bob.request("BYE"), 200, "OK")
    call.phone.response("BYE")


def test_topology(alice, bob):
    passing = ["Subject: lunch", "Priority: urgent", "Accept-Language: de", "User-to-User: 56a390;encoding=hex"]
    call, invite, ringing, answer = connect(
        alice, bob, passing + OWN[:-1] + ["Date: " + DATE, "Identity: " + IDENTITY], OWN)
    check("the callee sees nothing of the caller's network", shows_nothing_of(alice, call.id, invite))
    check("nor the caller of the callee's", all(shows_nothing_of(bob, invite["Call-ID"], one)
                                                for one in (ringing, answer)))
    check("one Via, and no route but ours", len(invite.all("Via")) == 1 and not invite.all("Record-Route")
          and not answer.all("Record-Route"))
    check("what is on the list passes", all(line in ["%s: %s" % pair for pair in invite.headers]
                                            for line in passing))
    check("a signed identity to the byte", invite["Identity"] == IDENTITY and invite["Date"] == DATE)
    other = bob.dialog_of(invite)
    call.send("INFO", "Signal=1\r\n", ["Subject: in the call"] + OWN[:-1], "application/dtmf-relay")
    info = bob.request("INFO")
    bob.say(info, 200, "OK", extra=OWN[:-1])
    check("in the call, too", info["Subject"] == "in the call" and shows_nothing_of(alice, call.id, info)
          and shows_nothing_of(bob, invite["Call-ID"], alice.response("INFO")))
    other.send("BYE", extra=["Reason: Q.850;cause=16;text=\"Normal\r\n clearing\"", "Reason: SIP;cause=200"]
               + OWN[:-1])
    bye = alice.request("BYE")
    check("why it ended passes, on one line", ", ".join(bye.all("Reason")) == 'Q.850;cause=16;text="Normal clearing", SIP;cause=200')
    check("and nothing else does", shows_nothing_of(bob, invite["Call-ID"], bye))
    alice.say(bye, 200, "OK")
    bob.response("BYE")


def test_privacy(alice, bob):
    call, invite, _, _ = connect(alice, bob, [
        "Privacy: id", "Subject: me", "P-Asserted-Identity: <sip:ceo@%s>" % domain])
    text = str(invite.headers)
    check("who asks not to be known is not", "alice" not in text and "ceo" not in text
          and re.match(r'"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=', invite["From"]))
    other = bob.dialog_of(invite)
    other.send("BYE")
    alice.say(alice.request("BYE"), 200, "OK")
    check("and the call can be used all the same", bob.response("BYE").status == 200)
    call, invite, _, _ = connect(alice, bob, ["P-Asserted-Identity: <sip:ceo@%s>" % domain,
                                              "P-Preferred-Identity: <sip:ceo@%s>" % domain])
    check("an identity that nobody has proved is dropped", "ceo" not in str(invite.headers)
          and invite["From"].startswith("<sip:alice@%s>" % domain))
    call.send("BYE")
    bob.say(bob.request("BYE"), 200, "OK")
    alice.response("BYE")


def refer(dialog, extra=()):
    """The INVITE that carol gets, whom the dialog's far end is transferred to. All ends."""
    check("a transfer is accepted", dialog.ask("REFER", extra=[
        "Refer-To: <sip:carol@%s>" % domain] + list(extra)).status == 202)
    dialog.phone.say(dialog.phone.request("NOTIFY"), 200, "OK")
    invite = carol.request("INVITE")
    carol.say(invite, 486, "Busy Here")
    carol.request("ACK")
    dialog.phone.say(dialog.phone.request("NOTIFY"), 200, "OK")
    return invite


def names(invite, name):
    return "sip:%s@" % name in "\r\n".join("%s: %s" % pair for pair in invite.headers)


def test_transfer(alice, bob):
    """Who is transferred is to the new one as it was to the old."""
    def anonymous(message):
        return re.match(r'"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=', message["From"])

    call, invite, _, _ = connect(alice, bob, ["Subject: lunch", "Date: " + DATE, "Identity: " + IDENTITY])
    other = bob.dialog_of(invite)
    new = refer(other)
    check("a caller is known after a transfer", new["From"].startswith("<sip:alice@%s>" % domain) and
          new["Subject"] == "lunch" and "sip:bob@" in new["Referred-By"])
    check("a signature for another callee is not shown", new["Identity"] is None)
    check("who transfers is not told of if it does not want it", not names(refer(other, ["Privacy: id"]), "bob"))
    new = refer(call)
    check("a callee is known after a transfer", new["From"].startswith("<sip:bob@%s>" % domain) and
          "sip:alice@" in new["Referred-By"])
    end(call, bob)

    for how in ("id", "user", "header"):
        call, invite, _, _ = connect(alice, bob, ["Privacy: " + how, "Subject: me"])
        new = refer(bob.dialog_of(invite))
        check("an anonymous caller stays so after a transfer (%s)" % how, anonymous(new) and
              not names(new, "alice") and new["Subject"] is None)
        new = refer(call)
        check("and as the one who transfers (%s)" % how, not names(new, "alice") and names(new, "bob"))
        end(call, bob)

    call, invite, _, _ = connect(alice, bob, answer=["Privacy: id"])
    new = refer(call)
    check("an anonymous callee stays so after a transfer", anonymous(new) and not names(new, "bob"))
    end(call, bob)


def test_refusal(alice, bob):
    call = alice.start("bob")
    invite = bob.request("INVITE")
    bob.say(invite, 486, "Busy Here", extra=["Reason: Q.850;cause=17"] + OWN)
    refusal = alice.response("INVITE")
    call.ack(refusal)
    check("a refusal has its reason", refusal.status == 486 and refusal["Reason"] == "Q.850;cause=17")
    check("and nothing of who refused", shows_nothing_of(bob, invite["Call-ID"], refusal))


def test_cancel(alice, bob):
    call = alice.start("bob")
    invite = bob.request("INVITE")
    bob.say(invite, 180, "Ringing")
    alice.response("INVITE", 180)
    via, cseq = call.invited
    alice.send("CANCEL %s SIP/2.0" % call.target, ["Via: " + via] + call.headers("CANCEL", cseq, [
        "Reason: SIP;cause=600;text=\"tired of waiting\""])[1:])
    cancel = bob.request("CANCEL")
    check("a CANCEL has its reason", cancel["Reason"] == 'SIP;cause=600;text="tired of waiting"')
    bob.say(cancel, 200, "OK")
    bob.say(invite, 487, "Request Terminated")
    call.ack(alice.response("INVITE"))


def test_elsewhere(alice, bob):
    second = phone("bob")
    call = alice.start("bob")
    first_invite, second_invite = bob.request("INVITE"), second.request("INVITE")
    second.say(second_invite, 180, "Ringing")
    bob.say(first_invite, 200, "OK", bob.sdp())
    alice.answered(call)
    cancel = second.request("CANCEL")
    check("a phone that was slower is told that another one took the call",
          cancel["Reason"] == 'SIP;cause=200;text="Call completed elsewhere"')
    second.say(cancel, 200, "OK")
    second.say(second_invite, 487, "Request Terminated")
    second.close()
    call.send("BYE")
    bob.say(bob.request("BYE"), 200, "OK")
    alice.response("BYE")


def test_injection(alice, bob):
    """No text becomes a header of its own, however it is folded, quoted or escaped."""
    for name in ('"a\r\n Evil: 1"', '"a\\\r\n Evil: 1"', '"a%0d%0aEvil: 1"'):
        call = alice.start("bob", extra=["Subject: b\r\n\tEvil: 2", "Privacy: none"])
        invite = bob.request("INVITE")
        check("a folded subject stays one", invite["Evil"] is None and invite["Subject"] == "b Evil: 2")
        bob.say(invite, 480, "x\ty", extra=["Reason: SIP;text=\"%s\"" % name.strip('"').replace("\\", "")])
        refusal = alice.response("INVITE")
        call.ack(refusal)
        check("a reason, too: %r" % name, refusal["Evil"] is None)


phones = phone("alice"), phone("bob")
carol = phone("carol")
for test in (test_topology, test_privacy, test_transfer, test_refusal, test_cancel, test_elsewhere, test_injection):
    test(*phones)
sys.exit(bad)
