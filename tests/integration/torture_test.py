# SPDX-License-Identifier: BSD-3-Clause
"""The messages of RFC 4475 and RFC 5118 (tests/vectors/torture), each sent by TLS as it stands in the RFC, but
that its topmost Via names the transport that it goes by: by a stranger; by a trunk, which needs no password and whose calls reach a phone; and a REGISTER also by the user
that it is for. What must come back is in docs/torture.md's tables. Then memory, a registration, a call.

usage: torture_test.py SERVER DOMAIN TLS_FOLDER PID docs/torture.md
"""
import os
import re
import select
import socket
import ssl
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from call_phone import CallPhone
from phone import token

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "torture"))
from expand import messages  # noqa: E402 pylint: disable=wrong-import-position

SERVER, DOMAIN, FOLDER, PID, TABLE = sys.argv[1:6]
ROUNDS = 5
CA = os.path.join(FOLDER, "ca.pem")
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence, flush=True)
    bad |= not holds


def connect(trunk):
    context = ssl.create_default_context(cafile=CA)
    if trunk:
        context.load_cert_chain(os.path.join(FOLDER, "trunk.pem"), os.path.join(FOLDER, "trunk.key"))
    plain = socket.create_connection((SERVER, 5062 if trunk else 5061), timeout=10)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname=SERVER)


class Line:
    """One connection, and what comes on it."""

    def __init__(self, trunk):
        self.sock, self.input, self.closed = connect(trunk), b"", False

    def read(self, seconds):
        """Whatever comes within so many seconds; False: nothing."""
        if not self.sock.pending() and not select.select([self.sock], [], [], seconds)[0]:
            return False
        try:
            more = self.sock.recv(65536)
        except OSError:
            more = b""
        self.closed |= not more
        self.input += more
        return True

    def take(self):
        """The next message that is here in full, or None."""
        head, mark, rest = self.input.partition(b"\r\n\r\n")
        if not mark:
            return None
        size = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)
        size = int(size.group(1)) if size else 0
        if len(rest) < size:
            return None
        self.input = rest[size:]
        return head.decode("utf-8", "replace")

    def marker(self):
        """A request whose answer shows that what was sent before has been read."""
        self.mark = token()
        return (f"OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK{self.mark}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:mark@{DOMAIN}>;tag=1\r\nTo: <sip:mark@{DOMAIN}>\r\n"
                f"Call-ID: {self.mark}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()

    def acknowledge(self, answer):
        """A final answer to an INVITE that is none to be pleased about."""
        def of(name):
            found = re.search(rf"(?im)^{name}\s*:\s*(.*)$", answer)
            return found.group(1).strip() if found else ""
        number = re.match(r"\d+ INVITE", of("CSeq"))
        if number:
            via = of("Via").split(",")[0]
            self.sock.sendall((
                f"ACK sip:{DOMAIN} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {of('From')}\r\nTo: {of('To')}\r\n"
                f"Call-ID: {of('Call-ID')}\r\nCSeq: {number.group(0).split()[0]} ACK\r\nContent-Length: 0\r\n\r\n"
            ).encode("utf-8", "replace"))

    def ask(self, message):
        """All final answers to it, e.g. "401" or "401 404"; "none"; and "closed" if that is what follows."""
        begun, marked, trying, finals = time.monotonic(), False, 0, []
        try:
            self.sock.sendall(message + self.marker())
        except OSError:
            self.closed = True
        while not self.closed and time.monotonic() - begun < 8:
            answer = self.take()
            if answer is None:
                if not self.read(0.25 if marked and trying <= len(finals) else 1) and marked and trying <= len(finals):
                    break
            elif self.mark in answer:
                marked = True
            elif not answer.startswith("SIP/2.0 "):
                pass  # a call for whom it has just registered
            elif re.match(r"SIP/2.0 1", answer):
                trying += 1
            else:
                finals.append(answer.split()[1])
                self.acknowledge(answer)
        said = " ".join(sorted(finals)) or "none"
        return said + (", closed" if self.closed else "" if marked else ", mute")


class Busy(threading.Thread):
    """A phone of `user`, which is called by what is well-formed, and says 486."""

    def __init__(self):
        super().__init__(daemon=True)
        self.phone = CallPhone("user", "secret of user", SERVER, DOMAIN, CA)
        assert self.phone.log_in().status == 200
        self.calls = 0
        self.start()

    def run(self):
        self.phone.socket.settimeout(None)
        try:
            while True:
                message = self.phone.receive()
                if not message.is_response and message.method == "INVITE":
                    self.calls += 1
                    self.phone.say(message, 486, "Busy Here")
        except (EOFError, OSError):
            pass


def wanted():
    """{(message, column): what must come}, of the tables in docs/torture.md."""
    rows = {}
    with open(TABLE, encoding="utf-8") as file:
        for line in file:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if line.startswith("| `") and len(cells) == 6:
                name = cells[0].strip("`")
                rows.update({(name, column): cells[number] for number, column in
                             ((2, "stranger"), (3, "trunk"), (4, "user"))})
    return rows


def by_tls(wire):
    """The message, its topmost Via naming TLS."""
    return re.sub(rb"(?im)^(v(?:ia)?\s*:\s*SIP\s*/\s*\d\.0\s*/\s*)(UDP|TCP)", rb"\1TLS", wire, count=1)


def anew(wire):
    """The same in a transaction and a call of its own, not one more retransmission."""
    wire = re.sub(rb"(branch\s*=\s*(?:z9hG4bK)?)", rb"\g<1>" + token().encode(), wire, count=1)
    return re.sub(rb"(?im)^((?:call-id|i)\s*:\s*)", rb"\g<1>" + token().encode(), wire)


def with_media(wire):
    """Most of RFC 4475's offers have a codec without its clock rate, and some the relay's own address here: they
    would go no further."""
    wire = re.sub(rb"IN IP4 192\.0\.2\.1\r", b"IN IP4 192.0.2.5\r", wire)
    if wire.count(b"\r\na=rtpmap:31 LPC\r\n") == 0 or b"Content-Length: 9999" in wire or b"-999" in wire:
        return wire
    wire = wire.replace(b"a=rtpmap:31 LPC", b"a=rtpmap:31 LPC/8000")
    return re.sub(rb"(?im)^((?:content-length|l)\s*:\s*)(1\d\d)",
                  lambda found: found.group(1) + str(int(found.group(2)) + 5).encode(), wire)


def as_user(wire):
    """A REGISTER with the password of the user that it is for."""
    user = re.search(rb"(?im)^to:\s*<?sip:([a-z.]+)@", wire).group(1).decode()
    phone = CallPhone(user, "secret of " + user, SERVER, DOMAIN, CA)
    uri = wire.split()[1].decode()
    proof = phone.credentials(phone.register(), "REGISTER", uri)
    phone.close()
    head, mark, rest = anew(wire).partition(b"\r\n\r\n")
    return head + b"\r\n" + proof.encode() + mark + rest


def cases():
    """(RFC, section, name, column, message), all of them."""
    for file in ("rfc4475", "rfc5118"):
        for name, section, wire in messages(file):
            wire = by_tls(wire)
            yield file[3:], section, name, "stranger", wire
            yield file[3:], section, name, "trunk", with_media(anew(wire))
            if wire.startswith(b"REGISTER") and name != "dblreq" and re.search(USERS, wire):
                yield file[3:], section, name, "user", as_user(wire)


USERS = rb"(?im)^to:.*sip:(user|j\.user|watson)@"


def try_one(case):
    line = Line(case[3] == "trunk")
    said = line.ask(case[4])
    line.sock.close()
    return said


def test_messages(rows):
    # who registers gets the others' calls: last
    all_cases = sorted(cases(), key=lambda case: case[3] == "user")
    with ThreadPoolExecutor(24) as threads:
        calls = sum(case[3] != "user" for case in all_cases)
        answers = list(threads.map(try_one, all_cases[:calls])) + list(threads.map(try_one, all_cases[calls:]))
    for (rfc, section, name, column, _), said in zip(all_cases, answers):
        key = (name, column)
        check(f"RFC {rfc} {section} {name}, {column}: {said}"
              + ("" if said == rows.get(key) else f", not {rows.get(key)}"), said == rows.get(key))
    check(f"each of {len(rows)} cells was looked at", len(all_cases) > 120 and
          {case[2:4] for case in all_cases} == {key for key, value in rows.items() if value != "-"})


def test_clock_rate():
    wire = {name: wire for name, _, wire in messages("rfc4475")}["sdp01"]
    line = Line(True)
    check("an offer with a codec that lacks its clock rate is 400", line.ask(by_tls(anew(wire))) == "400")
    line.sock.close()


def memory_kb():
    with open(f"/proc/{PID}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def send_only(wire):
    line = Line(True)
    try:
        line.sock.sendall(anew(by_tls(wire)))
        line.read(0.05)
        line.sock.close()
    except OSError:
        pass


def test_memory():
    """All of them again and again, as fast as they are read."""
    everything = [wire for file in ("rfc4475", "rfc5118") for _, _, wire in messages(file)]
    with ThreadPoolExecutor(24) as threads:
        list(threads.map(send_only, everything * 2))
        before = memory_kb()
        list(threads.map(send_only, everything * ROUNDS))
    grown = memory_kb() - before
    print(f"{len(everything) * ROUNDS} messages more: {grown} KiB more")
    check("memory does not grow with them", grown < 3000)


def test_unharmed():
    alice = CallPhone("alice", "secret of alice", SERVER, DOMAIN, CA)
    check("a phone registers", alice.log_in().status == 200)
    user = CallPhone("j.user", "secret of j.user", SERVER, DOMAIN, CA)
    check("and another one", user.log_in().status == 200)
    call = alice.start("j.user")
    user.say(user.request("INVITE"), 200, "OK", user.sdp())
    user.request("ACK")
    check("they have a call", alice.answered(call).status == 200)
    call.send("BYE")
    user.say(user.request("BYE"), 200, "OK")
    check("and end it", alice.response("BYE").status == 200)


def main():
    busy = Busy()
    test_messages(wanted())
    check(f"what is well-formed has reached the phone: {busy.calls} calls", busy.calls >= 5)
    test_clock_rate()
    test_memory()
    test_unharmed()
    return bad


sys.exit(main())
