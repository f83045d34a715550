# SPDX-License-Identifier: BSD-3-Clause
"""hostile_test.py SERVER DOMAIN TLS_FOLDER PART: what a known user, or a trunk with a good certificate, may try all the
same: media aimed where it must not go, lines smuggled through URIs, other people's names, proofs that were bent."""
import base64
import os
import ssl
import socket
import sys

from call_phone import CallPhone, Dialog
from phone import token

server, domain, tls, part = sys.argv[1:5]
PASSWORDS = {"alice": "wonderland", "bob": "builder77"}
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence, flush=True)
    bad |= not holds


def phone(user):
    new = CallPhone(user, PASSWORDS[user], server, domain, tls + "/ca.pem")
    assert new.log_in().status == 200
    return new


def crypto():
    return "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\r\n" % base64.b64encode(os.urandom(30)).decode()


def audio(port="4000", more=""):
    return "m=audio %s RTP/SAVP 0\r\n%s%s" % (port, more, crypto())


def session(address, *lines):
    kind = "IP6" if ":" in address else "IP4"
    return "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n%s" % (kind, address, "".join(lines))


# -- media

FORBIDDEN = {"the relay's own": "192.0.2.1", "the relay's other one": "198.51.100.1", "loopback": "127.0.0.1",
             "all of loopback": "127.9.9.9", "multicast": "224.0.0.1", "multicast of a site": "239.1.2.3",
             "broadcast": "255.255.255.255", "loopback in IPv6": "::1", "multicast in IPv6": "ff02::1",
             "loopback as IPv4 in IPv6": "::ffff:127.0.0.1"}


def media():
    alice, bob = phone("alice"), phone("bob")
    me = alice.local.split(":")[0]
    offers = {}
    for name, address in FORBIDDEN.items():
        offers[name] = session(address, audio())
        kind = "IP6" if ":" in address else "IP4"
        offers[name + ", in the line's own c="] = session(me, audio(more="c=IN %s %s\r\n" % (kind, address)))
        offers[name + ", for RTCP alone"] = session(me, audio(more="a=rtcp:4001 IN %s %s\r\n" % (kind, address)))
        offers[name + ", in the second of two"] = session(me, audio(), audio("4002", "c=IN %s %s\r\n" % (kind, address)))
    offers["port 0"] = session(me, audio("0"))
    offers["a port that is none"] = session(me, audio("65536"))
    offers["no m= line"] = session(me)
    offers["17 m= lines"] = session(me, *[audio(str(4000 + 2 * i)) for i in range(17)])
    offers["200 m= lines"] = session(me, *["m=audio %d RTP/SAVP 0\r\n" % (4000 + 2 * i) for i in range(200)])
    passed = []
    for name, offer in offers.items():
        call = alice.start("bob", offer)
        refused = alice.response("INVITE")
        call.ack(refused)
        if refused.status != 488:
            passed.append("%s: %d" % (name, refused.status))
    check("media to %d places where it must not go: 488 (%s)" % (len(offers), "; ".join(passed) or "all"), not passed)
    check("and nobody rang", bob.nothing(0.3))
    for name in ("the relay's own", "loopback", "multicast"):
        call = alice.start("bob", session(me, audio()))
        bob.say(bob.request("INVITE"), 200, "OK", session(FORBIDDEN[name], audio("6000")))
        bob.request("ACK")
        bob.say(bob.request("BYE"), 200, "OK")
        refused = alice.response("INVITE")
        call.ack(refused)
        check("an answer that aims at %s ends the call: 488" % name, refused.status == 488)


# -- lines through URIs

def smuggled(message):
    return any("evil" in key.lower() for key, _ in message.headers) or "\r\nEvil" in message.start


def uris():
    alice, bob = phone("alice"), phone("bob")
    evil = "%0d%0aEvil:%201"
    for uri in ("sip:bob%s@%s" % (evil, domain), "sip:bob@%s;x=%s" % (domain, evil), "sip:bob;y=%s@%s" % (evil, domain),
                "sip:bob@%s?Evil=1" % domain, "sip:bob@%s?Subject=a%s" % (domain, evil), "sip:bob%%00@%s" % domain):
        call = Dialog(alice, token(), "<%s>;tag=%s" % (alice.address, token(4)), "<%s>" % uri, uri, 0)
        call.send("INVITE", alice.sdp())
        first = alice.response("INVITE")
        call.ack(first)
        if first.status == 401:
            call.send("INVITE", alice.sdp(), [alice.credentials(first, "INVITE", uri)])
            # who is called either is not known, or is bob as he is: then he rings, and hears nothing of it
            while True:
                message = alice.receive()
                if message.status >= 200:
                    call.ack(message)
                    first = message
                    break
                if message.status == 180:
                    call.cancel()
                if message.status == 100 and not bob.nothing(0.3):
                    invite = bob.request("INVITE")
                    check("what rings has no line of it: %s" % uri, not smuggled(invite) and "vil" not in invite.start)
                    bob.say(invite, 486, "Busy Here")
                    bob.request("ACK")
        check("%s: %d, and no line of it in the answer" % (uri, first.status), first.status >= 400 and not smuggled(first))
    # not even a URI: the connection may be ended instead
    stranger = phone("alice")
    stranger.send("INVITE sip:bob:p%s@%s SIP/2.0" % (evil, domain), ["To: <sip:bob@%s>" % domain])
    try:
        refused = stranger.receive()
        check("a password with one: %d" % refused.status, refused.status >= 400 and not smuggled(refused))
    except (EOFError, OSError):
        check("a password with one ends the connection", True)
    contact, address = alice.contact, alice.address
    for name, sender, own in (
            ("From's URI", "%s;x=%s" % (address, evil), contact),
            ("Contact's user", address, contact.replace("sip:alice", "sip:alice" + evil)),
            ("Contact's parameter", address, contact.replace(";transport", ";x=%s;transport" % evil)),
            ("Contact's headers", address, contact.replace(">", "?Evil=1>"))):
        alice.address, alice.contact = sender, own
        call = alice.start("bob")
        alice.address, alice.contact = address, contact
        if bob.nothing(0.5):
            refused = alice.response("INVITE")
            call.ack(refused)
            check("%s: refused with %d" % (name, refused.status), refused.status >= 400 and not smuggled(refused))
            continue
        invite = bob.request("INVITE")
        check("%s: no line of it comes through" % name, not smuggled(invite) and "%0d" not in str(invite.headers).lower())
        bob.say(invite, 486, "Busy Here")
        bob.request("ACK")
        call.ack(alice.response("INVITE"))
    call = alice.start("bob")
    invite = bob.request("INVITE")
    bob.say(invite, 200, "OK", bob.sdp())
    bob.request("ACK")
    alice.answered(call)
    for target in ("<sip:nobody%s@%s>" % (evil, domain), "<sip:bob@%s?Evil=1>" % domain,
                   "<sip:bob@%s?Replaces=a%s>" % (domain, evil)):
        answer = call.ask("REFER", extra=["Refer-To: " + target])
        check("Refer-To %s: %d" % (target, answer.status), not smuggled(answer))
        if answer.status == 202:
            while True:
                notify = alice.request("NOTIFY")
                alice.say(notify, 200, "OK")
                if "terminated" in (notify["Subscription-State"] or ""):
                    break
                if "SIP/2.0 1" in notify.body and not bob.nothing(0.3):
                    other = bob.request("INVITE")
                    check("and no line of it comes through", not smuggled(other))
                    bob.say(other, 486, "Busy Here")
                    bob.request("ACK")
            check("and the report has no line of it", "\nEvil" not in notify.body)
    call.send("BYE")
    bob.say(bob.request("BYE"), 200, "OK")
    alice.response("BYE")


# -- names

class Trunk(CallPhone):
    """Somebody at the listener for trunks, with a certificate and no password."""

    def __init__(self, name, source):
        self.user, self.domain = "caller", domain
        context = ssl.create_default_context(cafile=tls + "/ca.pem")
        context.load_cert_chain("%s/%s.pem" % (tls, name), "%s/%s.key" % (tls, name))
        plain = socket.create_connection((server, 5062), timeout=10, source_address=(source, 0))
        self.socket = context.wrap_socket(plain, server_hostname=server)
        self.socket.settimeout(10)
        self.local = "%s:%d" % self.socket.getsockname()
        self.address, self.contact = "sip:caller@" + name, "<sip:caller@%s;transport=tls>" % self.local
        self.input, self.count, self.tags, self.kept, self.session = b"", {}, {}, [], 1

    def start(self, callee, body=None, extra=()):
        uri = "sip:%s@%s" % (callee, domain)
        call = Dialog(self, token(), "<%s>;tag=%s" % (self.address, token(4)), "<%s>" % uri, uri, 0)
        call.send("INVITE", body or self.sdp(), extra)
        return call


def claims(name, sender, asserted):
    """What bob is told of who calls: From and all asserted identities."""
    trunk = Trunk(name, "192.0.2.10")
    trunk.address = sender
    call = trunk.start("bob", extra=["P-Asserted-Identity: " + one for one in asserted]
                       + ["P-Preferred-Identity: <sip:alice@%s>" % domain, "Remote-Party-ID: <sip:alice@%s>" % domain])
    invite = bob.request("INVITE")
    bob.say(invite, 486, "Busy Here")
    bob.request("ACK")
    call.ack(trunk.response("INVITE"))
    trunk.close()
    shown = [value for key, value in invite.headers if key.lower() not in ("to", "via", "contact", "call-id")]
    return invite["From"], invite.all("P-Asserted-Identity"), " ".join(shown)


def names():
    ours = "alice@" + domain
    for trunk in ("cheap.test", "trusted.test"):
        sender, asserted, shown = claims(trunk, "sip:" + ours, [])
        check("%s can't call in the name of a user of ours (%s)" % (trunk, sender), ours not in shown)
    sender, asserted, shown = claims("cheap.test", "sip:+4930123@cheap.test", ["<sip:%s>" % ours, "<sip:ceo@bank.test>"])
    check("what a trunk asserts whom we don't trust is not shown", "ceo@" not in shown and ours not in shown)
    sender, asserted, shown = claims("trusted.test", "sip:+4930123@trusted.test", ["<sip:%s>" % ours])
    check("one that we trust does not speak for our users (%s)" % asserted, ours not in shown)
    for name, sender in (("cheap.test", "sip:+4930123@trusted.test"), ("trusted.test", "sip:caller@cheap.test")):
        told = claims(name, sender, [])[0]
        check("%s does not speak for another trunk (%s)" % (name, told), sender[4:] not in told)
    alice = phone("alice")
    call = alice.start("bob", extra=["P-Asserted-Identity: <sip:ceo@bank.test>", "Remote-Party-ID: <sip:ceo@bank.test>"])
    invite = bob.request("INVITE")
    check("nor does a user assert anything", "ceo@" not in str(invite.headers))
    bob.say(invite, 486, "Busy Here")
    bob.request("ACK")
    call.ack(alice.response("INVITE"))


# -- proofs

def proofs():
    alice = phone("alice")
    uri = "sip:" + domain
    fresh = alice.challenge()
    good = alice.answer(fresh, "REGISTER", uri)
    check("another opaque is not taken", alice.register([good.replace(fresh["opaque"], "0" * len(fresh["opaque"]))]).status == 401)
    check("nor none", alice.register([good.replace(', opaque="%s"' % fresh["opaque"], "")]).status in (400, 401))
    check("for another method it is not", alice.register([alice.answer(fresh, "INVITE", uri)]).status == 401)
    check("a count that is too long is not", alice.register([
        alice.answer(fresh, "REGISTER", uri).replace("nc=0", "nc=00")]).status in (400, 401))
    check("a count that goes round is not", alice.register([alice.answer(fresh, "REGISTER", uri, 0)]).status in (400, 401))
    signed = alice.answer(fresh, "REGISTER", uri, body="signed")
    check("auth-int called auth is not", alice.register([signed.replace("qop=auth-int", "qop=auth")], body="signed").status == 401)
    check("nor is a body that was cut off", alice.register([signed], body="").status == 401)
    both = alice.register([good, good.replace("alice", "bob", 1)])
    check("of two proofs no wrong one decides (%d)" % both.status, both.status in (200, 400, 401))
    check("another user's address of record stays his: 403", alice.register(
        [alice.answer(alice.challenge(), "REGISTER", uri)], sender="sip:bob@" + domain).status == 403)


bob = phone("bob") if part == "names" else None
{"media": media, "uris": uris, "names": names, "proofs": proofs}[part]()
sys.exit(bad)
