# SPDX-License-Identifier: BSD-3-Clause
"""dialog_more_test.py SERVER DOMAIN CA PART CLOCK: what must not happen in a call. Each part is by itself."""
import os
import sys
import threading
import time

from call_phone import CallPhone, tag_of

server, domain, ca, part, clock_file = sys.argv[1:6]
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence)
    bad |= not holds


def set_clock(to):
    """Of sallyport-sip alone, against ours."""
    with open(clock_file + ".new", "w", encoding="ascii") as new:
        new.write(to + "\n")
    os.replace(clock_file + ".new", clock_file)


def phone(user, log_in=True):
    new = CallPhone(user, "pass-" + user, server, domain, ca)
    if log_in:
        assert new.log_in().status == 200
    return new


def take(callee, answer_extra=()):
    """The next call: its dialog."""
    invite = callee.request("INVITE")
    callee.say(invite, 200, "OK", callee.sdp(), answer_extra)
    callee.request("ACK")
    dialog = callee.dialog_of(invite)
    dialog.invite = invite
    return dialog


def connect(alice, bob, extra=(), answer_extra=()):
    call = alice.start("bob", extra=extra)
    other = take(bob, answer_extra)
    alice.answered(call)
    return call, other


def hung_up(one):
    one.say(one.request("BYE"), 200, "OK")


def end(call, bob):
    call.send("BYE")
    hung_up(bob)
    check("the call ends with BYE", call.phone.response("BYE").status == 200)


def send_as(stranger, call, method, cseq, local=None, remote=None, extra=()):
    """A request as if in somebody's dialog; its final response."""
    headers = call.headers(method, cseq, extra)
    headers[0] = headers[0].replace(call.phone.local, stranger.local)
    headers = ["From: " + (local or call.local) if line.startswith("From:") else
               "To: " + (remote or call.remote) if line.startswith("To:") else line for line in headers]
    stranger.send("%s %s SIP/2.0" % (method, call.target), headers)
    return stranger.response(method)


def refusal(caller, callee):
    call = caller.start(callee)
    final = caller.response("INVITE")
    call.ack(final)
    return final.status


def clock():
    """The clock is set an hour ahead, and then two hours back."""
    alice, bob, dave, guess = phone("alice"), phone("bob"), phone("dave", False), phone("erin", False)
    uri, nonce = "sip:" + domain, alice.challenge()
    guess.password = "wrong"
    check("a name is locked", [guess.log_in().status for _ in range(3)] == [401, 401, 503])
    locked = time.monotonic()
    set_clock("+1h")
    guess.password = "pass-erin"
    check("an hour ahead: it is still", guess.log_in().status == 503)
    check("a nonce is still good", alice.register([alice.answer(nonce, "REGISTER", uri)]).status == 200)
    call, other = connect(alice, bob)
    check("who was registered is, and is called", call.ask("UPDATE").status == 200)
    short = dave.challenge()
    check("a phone registers for two seconds", dave.register(
        [dave.answer(short, "REGISTER", uri), "Expires: 2"]).status == 200)
    set_clock("-1h")
    check("two hours back: a nonce is still good", alice.register(
        [alice.answer(nonce, "REGISTER", uri)]).status == 200)
    check("the call goes on", other.ask("UPDATE").status == 200)
    time.sleep(max(0.0, locked + 2.1 - time.monotonic()))
    check("the lock ends when it should", guess.log_in().status == 200)
    time.sleep(0.5)
    check("and so does the registration", refusal(alice, "dave") == 480)
    end(call, bob)
    set_clock("+0")


def proxy():
    """challenge: proxy. A registrar asks by 401 all the same (RFC 3261 22.2, 22.3)."""
    alice, bob = phone("alice", False), phone("bob")
    asked = alice.register()
    check("REGISTER is asked by 401 alone", asked.status == 401 and not asked.all("Proxy-Authenticate") and
          len(alice.challenges(asked)) == 3)
    uri = "sip:bob@" + domain

    def invite(proof=()):
        alice.send("INVITE %s SIP/2.0" % uri, alice.headers("INVITE", call, call["cseq"] + 1, uri) + list(proof) +
                   ["Content-Type: application/sdp"], alice.sdp())
        call["cseq"] += 1
        final = alice.response("INVITE")
        alice.acknowledge(call, final, uri)
        return final

    call = dict(alice.new_call(), uri=uri)
    asked = invite()
    check("INVITE by 407, one challenge for each algorithm",
          asked.status == 407 and not asked.all("WWW-Authenticate") and len(alice.challenges(asked)) == 3)
    proof = alice.credentials(asked, "INVITE", uri)
    check("the answer is looked for where it belongs", invite([proof.replace("Proxy-", "")]).status == 407)
    check("a wrong one is asked again", invite([proof.replace("uri=\"sip:", "uri=\"sip:x")]).status == 407)
    check("nobody was called", bob.nothing())
    connect(alice, bob)[0].send("BYE")
    hung_up(bob)
    check("and a right one is taken", alice.response("BYE").status == 200)


def forged():
    """From another's connection, with what may be known of a dialog, and a CSeq far ahead."""
    alice, bob, carol = phone("alice"), phone("bob"), phone("carol")
    call, other = connect(alice, bob)
    for dialog in (call, other):
        who = dialog.phone.user
        for sentence, local, remote in (("tag of ours", dialog.local, dialog.remote + "0"),
                                        ("tag of theirs", dialog.local + "0", dialog.remote),
                                        ("tag at all", dialog.local, dialog.remote.split(";")[0])):
            check("a BYE as of %s without the right %s is 481" % (who, sentence),
                  send_as(carol, dialog, "BYE", 4711, local, remote).status == 481)
        check("nor does an UPDATE without a tag of ours get into it",
              send_as(carol, dialog, "UPDATE", 4711, remote=dialog.remote.split(";")[0]).status >= 400)
        check("and none has moved the CSeq of %s" % who, dialog.ask("UPDATE").status == 200)
    for dialog in (call, other):
        asked = send_as(carol, dialog, "INFO", 4711)
        check("with all tags right, another user is asked who it is", asked.status == 407)
        mine = carol.credentials(asked, "INFO", dialog.target)
        check("and is refused by its own name",
              send_as(carol, dialog, "INFO", 4712, extra=[mine]).status == 403)
        check("which moves no CSeq either", dialog.ask("UPDATE").status == 200)
    check("nobody has heard of it", bob.nothing() and alice.nothing())
    end(call, bob)


def moved():
    """The phone itself, by a new connection that it has not registered by."""
    alice, bob = phone("alice"), phone("bob")
    call, other = connect(alice, bob)
    again = phone("alice", False)
    call.phone = again
    asked = call.ask("UPDATE")
    check("it is asked who it is", asked.status == 407)
    check("and goes on", call.ask("UPDATE", extra=[again.credentials(asked, "UPDATE", call.target)]).status == 200)
    assert again.log_in().status == 200
    check("once it has registered by it, unasked", call.ask("UPDATE").status == 200)
    end(call, bob)


def refused():
    """What the configuration forbids, and what the hops do."""
    alice, bob, carol = phone("alice"), phone("bob"), phone("carol")
    call = alice.start("bob")
    bob.contact, old = "<sip:carol@%s>" % domain, bob.contact
    bob.say(bob.request("INVITE"), 302, "Moved Temporarily")
    bob.request("ACK")
    final = alice.response("INVITE")
    call.ack(final)
    check("redirects: refuse: 302 is 480 to the caller, nobody else is called",
          final.status == 480 and carol.nothing())
    bob.contact = old
    call, other = connect(alice, bob)
    check("transfers: refuse: REFER is 403", call.ask(
        "REFER", extra=["Refer-To: <sip:carol@%s>" % domain]).status == 403 and carol.nothing())
    desk = phone("alice")
    taking = desk.start("bob", extra=["Replaces: %s;to-tag=%s;from-tag=%s" % (
        call.id, tag_of(call.remote), tag_of(call.local))])
    final = desk.response("INVITE")
    taking.ack(final)
    check("so is an INVITE with Replaces", final.status == 403)
    for method, body, kind in (("INFO", "Signal=1\r\n", "application/dtmf-relay"), ("MESSAGE", "hi", "text/plain"),
                               ("UPDATE", alice.sdp(), "application/sdp")):
        call.cseq += 1
        headers = ["Max-Forwards: 0" if line.startswith("Max-Forwards") else line
                   for line in call.headers(method, extra=["Content-Type: " + kind])]
        alice.send("%s %s SIP/2.0" % (method, call.target), headers, body)
        check("no hop left: %s in the call is 483" % method, alice.response(method).status == 483)
    check("and nothing of it passes", bob.nothing())
    end(call, bob)


def silent():
    """All at once, for it takes 64 * T1: no ACK, no PRACK, no PRACK though the call is taken; and a refresh.
    Meanwhile somebody sets the clock."""
    alice, bob, carol, dave, erin, frank = everybody = [
        phone(user) for user in ("alice", "bob", "carol", "dave", "erin", "frank")]
    no_ack = alice.start("bob")
    taken = take(bob)
    no_prack = carol.start("dave", extra=["Require: 100rel"])
    ringing = dave.request("INVITE")
    dave.say(ringing, 180, "Ringing")
    carol.start("erin", extra=["Require: 100rel"])
    begun = time.time()
    early = erin.request("INVITE")
    erin.say(early, 180, "Ringing")
    erin.say(early, 200, "OK", erin.sdp())
    erin.request("ACK")
    timed = frank.start("alice", extra=["Supported: timer", "Session-Expires: 90;refresher=uas",
                                        "Allow: INVITE, ACK, BYE, CANCEL, UPDATE"])
    other = take(alice)
    frank.answered(timed)
    refreshed = ["Session-Expires: 90;refresher=uac", "Require: timer"]
    second = dave.start("frank")
    take(frank, refreshed)
    dave.answered(second)
    for one in everybody:
        one.socket.settimeout(50)
    for seconds, to in ((1, "+1h"), (5, "-1h"), (40, "+0")):
        threading.Timer(seconds, set_clock, [to]).start()

    said = alice.request("BYE")
    alice.say(said, 200, "OK")
    check("a caller that never sends its ACK gets a BYE", said["Call-ID"] == no_ack.id)
    said = bob.request("BYE")
    bob.say(said, 200, "OK")
    check("and so does who has taken the call", said["Call-ID"] == taken.id)

    failed = carol.take(lambda m: m.is_response and m.status >= 300 and m["Call-ID"] == no_prack.id)
    no_prack.remote = failed["To"]
    no_prack.ack(failed)
    check("a caller that never sends its PRACK hears 504", failed.status == 504)
    dave.say(dave.request("CANCEL"), 200, "OK")
    dave.say(ringing, 487, "Request Terminated")
    check("and who rings is cancelled", dave.request("ACK") is not None)
    hung_up(erin)
    check("one that has taken the call gets a BYE", 25 < time.time() - begun < 45)

    refresh = frank.request("UPDATE")
    frank.say(refresh, 491, "Request Pending")
    crossed = time.monotonic()
    refresh = frank.request("UPDATE")
    check("one that crossed (491) comes again within 2 s, where the Call-ID is the phone's",
          time.monotonic() - crossed < 2.5)
    frank.say(refresh, 200, "OK", "", ["Session-Expires: 90;refresher=uac"])
    check("a phone that knows UPDATE is refreshed by it, without an offer",
          not refresh.body and refresh["Session-Expires"].startswith("90;") and refresh["Call-ID"] == timed.id)
    again = frank.request("INVITE")
    frank.say(again, 491, "Request Pending")
    crossed = time.monotonic()
    frank.request("ACK")
    again = frank.request("INVITE")
    check("and after 2.1 to 4 s where it is ours", 2 < time.monotonic() - crossed < 4.5)
    frank.say(again, 200, "OK", frank.sdp(), refreshed)
    frank.request("ACK")
    end(second, frank)
    check("and the call goes on", other.ask("UPDATE").status == 200)
    end(timed, alice)


{"clock": clock, "proxy": proxy, "forged": forged, "moved": moved, "refused": refused, "silent": silent}[part]()
sys.exit(bad)
