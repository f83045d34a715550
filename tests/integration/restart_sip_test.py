# SPDX-License-Identifier: BSD-3-Clause
"""restart_sip_test.py SERVER DOMAIN FOLDER TRUNK_ADDRESS: calls of test phones and of a trunk, under which
sallyport-sip is restarted; the script that runs this does it, when FOLDER/restart holds the signal."""
import os
import socket
import ssl
import sys
import time

from call_phone import CallPhone, Dialog, direction_of, key_of, port_of, tag_of, uri_of

server, domain, folder, trunk_address = sys.argv[1:5]
ca = folder + "/tls/ca.pem"
PASSWORDS = {"erin": "eleven11", "frank": "forty-two"}
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence, flush=True)
    bad |= not holds


class RestartPhone(CallPhone):
    """One that connects anew when it has to, by the name of its instance the same phone."""

    def __init__(self, user, instance=None):
        super().__init__(user, PASSWORDS[user], server, domain, ca)
        self.instance = instance
        self.name()
        assert self.log_in().status == 200

    def name(self):
        if self.instance:
            self.contact += ';+sip.instance="<urn:uuid:%s>"' % self.instance

    def reconnect(self, register=True):
        kept = self.tags, self.session
        super().__init__(self.user, self.password, server, domain, ca)
        self.tags, self.session = kept
        self.name()
        if register:
            assert self.log_in().status == 200


class Trunk(CallPhone):
    """The far end of a trunk: its own listener, and connections to ours."""

    def __init__(self):
        self.user, self.kept, self.session, self.tags, self.input = "carrier", [], 1, {}, b""
        self.domain, self.contact = "carrier.test", "<sip:%s:5091;transport=tls>" % trunk_address
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder + "/tls/carrier.test.pem", folder + "/tls/carrier.test.key")
        self.listener = socket.create_server((trunk_address, 5091))
        self.listener.settimeout(15)
        self.socket = None

    def use(self, plain, **tls):
        self.socket, self.input = tls.pop("context", self.context).wrap_socket(plain, **tls), b""
        self.socket.settimeout(10)
        self.local = "%s:%d" % self.socket.getsockname()

    def accept(self):
        self.use(self.listener.accept()[0], server_side=True)

    def connect(self):
        client = ssl.create_default_context(cafile=ca)
        client.load_cert_chain(folder + "/tls/carrier.test.pem", folder + "/tls/carrier.test.key")
        self.use(socket.create_connection((server, 5062), timeout=10), context=client, server_hostname=server)


def restart(signal):
    with open(folder + "/restart", "w", encoding="ascii") as file:
        file.write(signal)
    while os.path.exists(folder + "/restart"):
        time.sleep(0.02)  # the script takes it away once sallyport-sip is there again


def connect(caller, callee, number, extra=(), answer_extra=()):
    """Both dialogs of a call that is up."""
    call = caller.start(number, extra=extra)
    if isinstance(callee, Trunk) and callee.socket is None:
        callee.accept()
    invite = callee.request("INVITE")
    callee.say(invite, 200, "OK", callee.sdp(), answer_extra)
    callee.request("ACK")
    call.answer = caller.answered(call)
    other = callee.dialog_of(invite)
    other.invite = invite
    return call, other


def end(by, other):
    by.send("BYE")
    bye = other.phone.request("BYE")
    other.phone.say(bye, 200, "OK")
    return by.phone.response("BYE").status == 200 and bye["Call-ID"] == other.id


def hold(call, other):
    """A re-INVITE that says sendonly passes, with the keys and ports that there were."""
    call.send("INVITE", call.phone.sdp(direction="sendonly"))
    asked = other.phone.request("INVITE")
    other.phone.say(asked, 200, "OK", other.phone.sdp(direction="recvonly"))
    other.phone.request("ACK")
    held = call.phone.answered(call)
    return direction_of(asked.body) == "sendonly" and direction_of(held.body) == "recvonly" and \
        key_of(asked.body) == key_of(other.invite.body) and port_of(asked.body) == port_of(other.invite.body) and \
        port_of(held.body) == port_of(call.answer.body) and tag_of(asked["From"]) == tag_of(other.invite["From"])


def info(call, other):
    call.send("INFO", "Signal=5\r\n", kind="application/dtmf-relay")
    other.phone.say(other.phone.request("INFO"), 200, "OK")
    return call.phone.response("INFO").status == 200


erin, frank, trunk = RestartPhone("erin", "5a5a-0001"), RestartPhone("frank", "5a5a-0002"), Trunk()
timed, timed_other = connect(erin, frank, "frank", ["Supported: timer", "Session-Expires: 90;refresher=uas"])
held, held_other = connect(erin, frank, "frank")
first, first_other = connect(frank, erin, "erin")
outward, outward_other = connect(erin, trunk, "+4930", answer_extra=["Session-Expires: 1800;refresher=uas"])
inward, inward_other = connect(erin, trunk, "+4931")
ringing = erin.start("frank")
frank.say(frank.request("INVITE"), 180, "Ringing")
erin.response("INVITE", 180)

print("== SIGTERM", flush=True)
restart("TERM")
erin.reconnect()
frank.reconnect(register=False)
trunk.socket = None
asked = held_other.ask("UPDATE")
check("a phone that does not register is asked who it is", asked.status == 401)
check("and is known by its dialog then: its UPDATE", held_other.ask(
    "UPDATE", extra=[frank.credentials(asked, "UPDATE", held_other.target)]).status == 200)
assert frank.log_in().status == 200
# erin's connection, and frank's for his other calls, is found by the registrar within a second
check("hold passes, with the same keys, ports and tags", hold(held, held_other))
held.send("INVITE", erin.sdp(direction="sendrecv"))
asked = frank.request("INVITE")
frank.say(asked, 200, "OK", frank.sdp())
frank.request("ACK")
erin.answered(held)
check("and so does resume", direction_of(asked.body) == "sendrecv")
check("INFO", info(held, held_other))
check("the caller's refresh of the session timer is answered", timed.ask(
    "UPDATE", extra=["Supported: timer", "Session-Expires: 90;refresher=uas"]).status == 200)
refreshed = time.monotonic()
check("BYE of the callee ends the call", end(first_other, first))
outward.send("BYE")
trunk.accept()
bye = trunk.request("BYE")
trunk.say(bye, 200, "OK")
check("BYE of the caller reaches the trunk, by a new connection", erin.response("BYE").status == 200 and
      bye["Call-ID"] == outward_other.id)
trunk.connect()
inward_other.send("BYE")
erin.say(erin.request("BYE"), 200, "OK")
check("BYE of the trunk, by a connection of its own, ends the call", trunk.response("BYE").status == 200)

print("== kill -9", flush=True)
unheard, unheard_other = connect(erin, frank, "frank")
restart("KILL")
erin.reconnect()
check("BYE of the caller while the callee is away is answered", unheard.ask("BYE").status == 200)
frank.reconnect()
bye = frank.request("BYE")
frank.say(bye, 200, "OK")
check("and the callee hears it when it comes back", bye["Call-ID"] == unheard_other.id)
check("the call that was there before goes on once more: hold", hold(held, held_other))
check("BYE of the caller ends it", end(held, held_other))
erin.socket.settimeout(60)
refresh = erin.take(lambda m: not m.is_response and m.method in ("INVITE", "UPDATE"))
waited = time.monotonic() - refreshed
check("we refresh the session timer that is ours, when it is time: after %.0f s" % waited, 40 < waited < 60 and
      refresh["Call-ID"] == timed.id)
erin.say(refresh, 200, "OK", erin.sdp() if refresh.body else "", ["Session-Expires: 90;refresher=uac"])
if refresh.method == "INVITE":
    erin.request("ACK")
check("BYE of the callee ends the last one", end(timed_other, timed))
sys.exit(bad)
