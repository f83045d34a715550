#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The registrar of a real sallyport-sip, over TLS and without a relay: several phones of one user, outbound
and Path, connections that close, kill -9 and a damaged file of bindings. No root needed.

usage: registrar_test.py SALLYPORT_SIP SALLYCTL_USER
"""
import hashlib
import os
import signal
import sys
import time

import sip_access_test as access
from sip_access_test import DOMAIN, Phone, Server, check

OUTBOUND = "Supported: path, outbound\r\n"


def contact(name, params=""):
    return f"Contact: <sip:{name}@192.0.2.77:5061;transport=tls>{params}\r\n"


def instance(number):
    return f';+sip.instance="<urn:uuid:00000000-0000-1000-8000-{number:012}>"'


def names(phone):
    """Whom the registrar says it has, in its order."""
    return [uri[len("sip:"):uri.index("@")] for uri in phone.bindings()]


def field(fields, name):
    return [value for key, value in fields if key.lower() == name.lower()]


def until(condition, seconds=8):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def call(phone, callee, headers):
    """An INVITE with credentials, for what the registrar learns of it: the callee is nobody."""
    uri = f"sip:{callee}@{DOMAIN}"
    _, fields = phone.request(headers, "INVITE", uri)
    proof = phone.credentials(field(fields, "WWW-Authenticate"), "SHA-256", "secret of " + phone.user,
                              method="INVITE", uri=uri)
    return phone.request(headers + proof, "INVITE", uri)[0]


def test_several(server):
    phone = Phone(server, "alice")
    check("contacts are listed by q, the highest first", phone.register(
        contact("low", ";q=0.1") + contact("high", ";q=0.9") + contact("middle", ";q=0.5"))[0] == 200
        and names(phone) == ["high", "middle", "low"])
    status, fields = phone.register(contact("new") + contact("brief", ";expires=1"))
    check("one that is too brief: 423, and the other is not bound either",
          status == 423 and field(fields, "Min-Expires") == ["2"] and "new" not in names(phone))
    check("a malformed expires is the default", phone.register(contact("low", ";q=0.1;expires=soon"))[0] == 200
          and 59 <= phone.bindings()["sip:low@192.0.2.77:5061;transport=tls"] <= 60)
    check("one contact is removed, the others stay", phone.register(contact("low", ";expires=0"))[0] == 200
          and names(phone) == ["high", "middle"])
    check("more than contacts_max: 403", phone.register(contact("third") + contact("more"))[0] == 403)
    phone.register("Contact: *\r\nExpires: 0\r\n")
    check("* removes them all", names(phone) == [])


def test_extensions(server):
    phone = Phone(server, "alice")
    check("Require: path, outbound is understood",
          phone.register("Require: path, outbound\r\n" + contact("a", ";expires=0"))[0] == 200)
    status, fields = phone.register("Require: gruu\r\n" + contact("a"))
    check("another extension is not: 420", status == 420 and field(fields, "Unsupported") == ["gruu"])
    path = "Path: <sip:edge.test;lr>\r\n"
    check("a Path that the phone does not know of: 420", phone.register(path + contact("a"))[0] == 420)
    status, fields = phone.register(OUTBOUND + path + contact("a"))
    check("a Path is kept, and in the 200", status == 200 and field(fields, "Path") == ["<sip:edge.test;lr>"])
    status, fields = phone.register(OUTBOUND + contact("b", instance(1) + ";reg-id=1"))
    check("outbound: Require and Flow-Timer in the 200", status == 200 and
          field(fields, "Require") == ["outbound"] and field(fields, "Flow-Timer") == ["120"])
    again = Phone(server, "alice")
    again.register(OUTBOUND + contact("c", instance(1) + ";reg-id=1"))
    check("the same instance and reg-id replace it, over another connection", names(again) == ["c", "a"])
    again.register("Contact: *\r\nExpires: 0\r\n")


def test_flows(server):
    one, two, other = (Phone(server, "alice") for _ in range(3))
    one.register(OUTBOUND + contact("one", instance(1) + ";reg-id=1"))
    two.register(OUTBOUND + contact("two", instance(1) + ";reg-id=2"))
    other.register(contact("other"))
    check("two flows of a phone, and another phone", sorted(names(other)) == ["one", "other", "two"])
    two.sock.close()
    check("a flow whose connection closed is dropped, and it alone",
          until(lambda: sorted(names(other)) == ["one", "other"]))
    two = Phone(server, "alice")
    two.register(OUTBOUND + contact("two", instance(1) + ";reg-id=2"))
    check("it comes back by another REGISTER", sorted(names(other)) == ["one", "other", "two"])
    one.sock.close()
    until(lambda: "one" not in names(other))
    one = Phone(server, "alice")
    call(one, "nobody", contact("elsewhere", instance(9)))
    check("an INVITE of another phone does not bring it back", "one" not in names(other))
    call(one, "nobody", contact("elsewhere", instance(1)))
    check("nor does one of the same phone that has another flow", "one" not in names(other))
    two.sock.close()
    until(lambda: "two" not in names(other))
    call(one, "nobody", contact("elsewhere", instance(1)))
    check("but one of a phone that has none does", len(names(other)) == 2)
    other.register("Contact: *\r\nExpires: 0\r\n")


def users_hash(server):
    with open(server.path("users.db"), "rb") as users:
        return hashlib.sha256(users.read()).hexdigest()


def test_restart(server):
    alice, bob = Phone(server, "alice"), Phone(server, "bob")
    before = users_hash(server)
    written = server.said().count("of bindings written")
    alice.register(contact("a", instance(1)))
    alice.register(contact("b"))
    bob.register(contact("c"))
    until(lambda: server.said().count("of bindings written") > written and
          "3 binding" not in server.said())
    # all three are written when a change that came after them is
    written = server.said().count("of bindings written")
    bob.register(contact("d", ";expires=80"))
    check("bindings are written within a second or so",
          until(lambda: server.said().count("of bindings written") > written))
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    server.start()
    check("after kill -9 the bindings are there", "4 binding(s) of an earlier life" in server.said())
    old, seen = (alice.call_id, alice.cseq), Phone(server, "alice")
    check("but none is in reach before its phone is back", names(seen) == [])
    call(seen, "nobody", contact("elsewhere", instance(1)))
    check("an INVITE of the phone brings it back, before it registers", names(seen) == ["a"])
    replayed = Phone(server, "alice")
    replayed.call_id, replayed.cseq = old[0], 0
    check("a REGISTER from before the restart is still known for old",
          replayed.register(contact("b", ";expires=0"))[0] == 400)
    back = Phone(server, "alice")
    back.call_id, back.cseq = old
    check("the phone goes on with its Call-ID and CSeq",
          back.register(contact("b"))[0] == 200 and sorted(names(back)) == ["a", "b"])
    check("the users' file was not written", users_hash(server) == before)
    server.process.terminate()
    server.process.wait()
    server.start()
    check("they outlive an orderly end, too", "4 binding(s) of an earlier life" in server.said())


def test_damaged(server):
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    with open(server.path("bindings.db"), "wb") as bindings:
        bindings.write(os.urandom(20000))
    server.start()
    phone = Phone(server, "alice")
    check("a damaged file is moved aside, and said",
          os.path.exists(server.path("bindings.db.damaged")) and "damaged" in server.said())
    check("and phones register", phone.register(contact("a"))[0] == 200 and names(phone) == ["a"])


def main():
    server = Server(sys.argv[1], sys.argv[2], "  contacts_max: 3\nlog: {level: debug}\n")
    try:
        for test in (test_several, test_extensions, test_flows, test_restart, test_damaged):
            test(server)
    finally:
        check("sallyport-sip still lives", server.process.poll() is None)
        if access.failed:
            print(server.said())
        check("and ends when told, with status 0", server.end() == 0)
    return 1 if access.failed else 0


sys.exit(main())
