#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""MESSAGE outside of calls (RFC 3428), and what of its headers the other side sees; OPTIONS. Over loopback
and without a relay. No root needed.

usage: message_test.py SALLYPORT_SIP SALLYCTL_USER
"""
import re
import socket
import sys

import phone
import sip_access_test as access
from sip_access_test import DOMAIN, check

IDENTITY = ("eyJhbGciOiJFUzI1NiIsInBwdCI6InNoYWtlbiJ9.eyJvcmlnIjp7InRuIjoiMTIxNTU1NTEyMTIifX0.c2lnbmF0dXJl"
            ";info=<https://cert.example.org/passport.cer>;alg=ES256;ppt=\"shaken\"")
DATE = "Thu, 21 Feb 2002 13:02:03 GMT"


class Phone(phone.Phone):
    """One that meets a server of sip_access_test.py."""

    def __init__(self, server, user):
        self.user, self.password, self.domain = user, "secret of " + user, DOMAIN
        self.algorithm = "SHA-256"
        self.socket = access.context(server).wrap_socket(server.connect(), server_hostname=DOMAIN)
        self.socket.settimeout(10)
        self.local = "%s:%d" % self.socket.getsockname()
        self.address = "sip:%s@%s" % (user, DOMAIN)
        self.contact = "<sip:%s@%s;transport=tls>" % (user, self.local)
        self.input, self.count, self.tags = b"", {}, {}

    def say(self, callee, text, extra=(), sender=None, hops=70, kind="text/plain"):
        """A MESSAGE, up to where the server asks for no more proof: what is answered then is to come."""
        uri, call = "sip:%s@%s" % (callee, DOMAIN), self.new_call()

        def send(cseq, *proof):
            lines = self.headers("MESSAGE", call, cseq, uri)
            lines = [line for line in lines if not line.startswith(("Contact", "Max-Forwards"))]
            if sender:
                lines[1] = "From: %s;tag=%s" % (sender, call["tag"])
            lines += ["Max-Forwards: %d" % hops, "User-Agent: Secret/1", "Server: Secret/2",
                      "Warning: 399 192.0.2.77 \"x\"", *extra, *proof]
            if kind:
                lines.append("Content-Type: " + kind)
            self.send("MESSAGE %s SIP/2.0" % uri, lines, text)
        send(1)
        first = self.response("MESSAGE")
        if first.status != 401:
            return first
        send(2, self.credentials(first, "MESSAGE", uri))
        self.said = call
        return None

    def conclude(self, message, status, phrase):
        headers = [key + ": " + value for key, value in message.headers
                   if key.lower() in ("via", "from", "call-id", "cseq")]
        self.send("SIP/2.0 %d %s" % (status, phrase), headers + ["To: " + self.to_of(message)])

    def hears_nothing(self):
        self.socket.settimeout(0.3)
        try:
            self.receive()
            return False
        except socket.timeout:
            return True
        finally:
            self.socket.settimeout(10)


def status(phone_, *args, **others):
    """Of a MESSAGE that the server answers by itself."""
    first = phone_.say(*args, **others)
    return (first or phone_.response("MESSAGE")).status


def test_refused(server):
    alice = Phone(server, "alice")
    check("nobody is there: 480", status(alice, "bob", "hello") == 480)
    check("an unknown user: 404", status(alice, "nobody", "hello") == 404)
    check("somebody else's name: 403", status(alice, "bob", "x", sender="<sip:bob@%s>" % DOMAIN) == 403)
    check("no hop left: 483", status(alice, "bob", "hello", hops=0) == 483)
    check("too long: 413", status(alice, "bob", "x" * 101) == 413)
    check("nobody knows what it is: 400", status(alice, "bob", "x", kind=None) == 400)
    mallory = Phone(server, "alice")
    mallory.password = "guess"
    check("a wrong password: 401", status(mallory, "bob", "hello") == 401)


def test_delivered(server):
    alice, first, second = Phone(server, "alice"), Phone(server, "bob"), Phone(server, "bob")
    first.log_in()
    second.log_in()
    text = "hej \\o/ inline:abc\r\n"
    alice.say("bob", text)
    heard = [bob.request("MESSAGE") for bob in (first, second)]
    check("both phones get it, byte by byte", [one.body for one in heard] == [text, text])
    first.conclude(heard[0], 486, "Busy Here")
    second.conclude(heard[1], 202, "Accepted")
    check("the sender hears the better answer", alice.response("MESSAGE").status == 202)
    one = heard[0]
    check("it says who sent it", re.match(r"<sip:alice@access\.test>;tag=[0-9a-f]{16}$", one["From"]))
    check("and what it is", one["Content-Type"] == "text/plain" and one["Max-Forwards"] == "69")
    check("nothing of the sender's own leg", one["Contact"] is None and len(one.all("Via")) == 1
          and alice.said["id"] not in one["Call-ID"] and alice.said["tag"] not in one["From"]
          and alice.local not in str(one.headers) and one["Authorization"] is None)
    check("nor of its software and network", not any(
        one[name] for name in ("User-Agent", "Server", "Warning")))
    alice.say("bob", "again")
    for bob in (first, second):
        bob.conclude(bob.request("MESSAGE"), 603, "Decline")
    check("a refusal of all passes", alice.response("MESSAGE").status == 603)
    first.close()
    second.close()


def heard_by_bob(bob, alice, *args, **others):
    alice.say("bob", *args, **others)
    heard = bob.request("MESSAGE")
    bob.conclude(heard, 200, "OK")
    assert alice.response("MESSAGE").status == 200
    return heard


def test_headers(server):
    alice, bob = Phone(server, "alice"), Phone(server, "bob")
    bob.log_in()
    one = heard_by_bob(bob, alice, "x", [
        "Subject: lunch", "X-Passes: 1", "X-Stays: 2", "Organization: here",
        "P-Asserted-Identity: <sip:ceo@%s>" % DOMAIN, "P-Preferred-Identity: <sip:ceo@%s>" % DOMAIN,
        "Date: " + DATE, "Identity: " + IDENTITY, "History-Info: <sip:x@192.0.2.1>;index=1"])
    check("what is on the list passes", one["Subject"] == "lunch" and one["X-Passes"] == "1")
    check("what is not does not", not any(one[name] for name in (
        "X-Stays", "Organization", "History-Info")))
    check("nobody asserts who he is", not any(
        one[name] for name in ("P-Asserted-Identity", "P-Preferred-Identity")))
    check("a signed identity passes to the byte, with its date",
          one["Identity"] == IDENTITY and one["Date"] == DATE)
    one = heard_by_bob(bob, alice, "x", ["Privacy: id", "Subject: me", "Identity: " + IDENTITY])
    check("who asks not to be known is not", "alice" not in str(one.headers)
          and one["From"].startswith('"Anonymous" <sip:anonymous@anonymous.invalid>'))
    check("and not by what it wrote", one["Subject"] is None and one["Identity"] is None)


def test_injection(server):
    """No text becomes a header of its own, however it is folded, quoted or escaped."""
    alice, bob = Phone(server, "alice"), Phone(server, "bob")
    bob.log_in()
    mine = "<sip:alice@%s>" % DOMAIN
    for name in ('"a\r\n Evil: 1"', '"a\\\r\n Evil: 1"', '"a%0d%0aEvil: 1"', '"a\\"\r\n Evil: 1\\""'):
        one = heard_by_bob(bob, alice, "x", ["Subject: b\r\n\tEvil: 2", "X-Passes: c\r\n Evil: 3"],
                           sender=name + " " + mine)
        check("a display name makes no header: %r" % name, one["Evil"] is None
              and one["Subject"] == "b Evil: 2" and one["X-Passes"] == "c Evil: 3"
              and one["From"].count("<sip:alice@") == 1)
    one = heard_by_bob(bob, alice, "x", sender="<sip:alice@%s;x=%%0d%%0aEvil:%%201>" % DOMAIN)
    check("nor does a parameter", one["Evil"] is None and "%0d" not in one["From"].lower())


def test_options(server):
    stranger = Phone(server, "stranger")

    def ask(uri):
        call = stranger.new_call()
        stranger.send("OPTIONS %s SIP/2.0" % uri, stranger.headers("OPTIONS", call, 1, uri))
        return stranger.response("OPTIONS")
    check("OPTIONS is answered for our domain", ask("sip:" + DOMAIN).status == 200)
    check("and for our address", ask("sip:127.0.0.1:%d" % server.port).status == 200)
    check("for nobody else's", ask("sip:elsewhere.example").status == 404)
    check("and tells not who lives here", ask("sip:bob@" + DOMAIN).status
          == ask("sip:nobody@" + DOMAIN).status == 200)
    check("it says what we do", "MESSAGE" in ask("sip:" + DOMAIN)["Allow"])


def main():
    server = access.Server(sys.argv[1], sys.argv[2], "  instant_message_bytes: 100\n"
                           "  headers: {pass: [Subject, X-Passes, X-Stays, Identity, History-Info],"
                           " strip: [X-Stays]}\n")
    try:
        for test in (test_refused, test_delivered, test_headers, test_injection, test_options):
            test(server)
    finally:
        check("sallyport-sip still lives", server.process.poll() is None)
        if access.failed:
            print(server.said())
        check("and ends when told, with status 0", server.end() == 0)
    return 1 if access.failed else 0


sys.exit(main())
