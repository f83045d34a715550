#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Those who want sallyport-sip down, or slow: connections without end, messages that never end, peers
that never read, floods. In each case somebody who has logged in is served as before.

usage: sip_defence_test.py BUILD
"""
import hashlib
import os
import re
import resource
import select
import signal
import socket
import sys
import time

from sip_server import DOMAIN, Server, check, ended, eventually, failed, request, response, run

LIMITS = ("connections: 1200, connections_per_source: 400, connects_per_second: 60, requests_per_second: 20, "
          "handshake_s: 3, login_s: 6, message_s: 3, write_s: 4, headers: 60, body_size: 4096, "
          "message_size: 16384, sources: 64")
ATTACKER = "127.0.0.66"


class Phone:
    """Somebody who is known: alice, logged in, from an address of her own."""

    def __init__(self, server, buffer=None):
        plain = socket.socket()
        if buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        plain.bind(("127.0.0.5", 0))
        plain.connect(("127.0.0.1", server.port))
        self.sock = server.context().wrap_socket(plain, server_hostname=DOMAIN)
        self.sock.sendall(request("REGISTER"))
        offer = dict(re.findall(r'(\w+)="?([^",\s]+)"?', [
            line for line in response(self.sock)[1].split("\r\n") if "algorithm=SHA-256" in line][0]))

        def hexed(text):
            return hashlib.sha256(text.encode()).hexdigest()
        proof = hexed(":".join([hexed(f"alice:{DOMAIN}:secret of alice"), offer["nonce"], "00000001", "c0",
                                "auth", hexed(f"REGISTER:sip:{DOMAIN}")]))
        self.sock.sendall(request("REGISTER", (
            f'Authorization: Digest username="alice", realm="{DOMAIN}", nonce="{offer["nonce"]}", '
            f'uri="sip:{DOMAIN}", response="{proof}", algorithm=SHA-256, cnonce="c0", qop=auth, '
            f'nc=00000001, opaque="{offer["opaque"]}"\r\nContact: <sip:alice@127.0.0.5;transport=tls>\r\n')))
        assert response(self.sock)[0] == 200, server.said()

    def delay(self):
        """Seconds until she is answered; more than a minute if she is not."""
        begun = time.monotonic()
        self.sock.sendall(request())
        return time.monotonic() - begun if response(self.sock)[0] == 200 else 99


phone = None


def unharmed(sentence):
    delay = phone.delay()
    check(f"{sentence}: a user is answered in {delay * 1000:.0f} ms", delay < 1)


def test_login(server):
    global phone
    phone = Phone(server)
    unharmed("at rest")


def test_handshakes(server):
    silent = server.tcp(source=ATTACKER)
    slow = server.tcp(source=ATTACKER)
    begun = time.monotonic()
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500)
    for byte in hello:
        try:
            slow.sendall(bytes([byte]))
        except OSError:
            break
        if select.select([slow], [], [], 0.1)[0]:
            break
    check(f"a handshake that goes on for ever is ended ({time.monotonic() - begun:.0f} s)",
          ended(slow, 1) and time.monotonic() - begun < 7)
    check("and one that never begins", ended(silent, 5))
    check("both are counted", server.count("cut.handshake") == 2)
    unharmed("after them")


def test_strangers(server):
    stranger = server.tls(source=ATTACKER)
    begun = time.monotonic()
    while time.monotonic() - begun < 20:
        try:
            stranger.sendall(request())
        except OSError:
            break
        if response(stranger)[0] is None:
            break
        time.sleep(0.5)
    check(f"who never logs in is sent away, whatever he says ({time.monotonic() - begun:.0f} s)",
          5 < time.monotonic() - begun < 10 and server.count("cut.login") == 1)


def drip(sock, text):
    """One byte after the other, until the server has enough. How long it was patient."""
    begun = time.monotonic()
    sock.settimeout(0.05)
    for byte in text:
        try:
            sock.sendall(bytes([byte]))
            if not sock.recv(1000):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - begun


def test_slow_loris(server):
    before = server.count("cut.message")
    for where, text in (("line", b"OPTIONS sip:" + b"a" * 400),
                        ("header", b"OPTIONS sip:a@b SIP/2.0\r\nSubject: " + b"b" * 400),
                        ("body", request(body="x" * 900)[:-500])):
        patience = drip(server.tls(source=ATTACKER), text)
        check(f"a {where} that comes byte by byte is cut ({patience:.1f} s)", 2 < patience < 7)
    with server.tls(source=ATTACKER) as sock:
        sock.sendall(request(body="x" * 900)[:-500])
        check("and a message whose rest never comes", ended(sock, 7))
    check("each is counted", server.count("cut.message") == before + 4)
    with server.tls(source=ATTACKER) as sock:
        for part in [request()[i:i + 40] for i in range(0, 400, 40)]:
            sock.sendall(part)
            time.sleep(0.1)
        check("a message in pieces, in time, is answered", response(sock)[0] == 200)


def test_never_reads(server):
    """Somebody who knows a password asks, and takes no answer."""
    before, memory = server.count("cut.write"), server.memory_kb()
    sock = Phone(server, buffer=4096).sock
    sock.settimeout(0.5)
    begun = time.monotonic()
    big = request(headers="".join(f"Via: SIP/2.0/TLS 127.0.0.{i}:9;branch=z9hG4bK{'x' * 200}{i}\r\n"
                                  for i in range(40)))
    while time.monotonic() - begun < 30:
        try:
            sock.sendall(big)
            time.sleep(0.004)
        except TimeoutError:
            break  # nor does the server read any more
        except OSError:
            break
    check("who never reads is cut, and it is counted",
          eventually(15, lambda: server.count("cut.write") == before + 1))
    grown = server.memory_kb() - memory
    check(f"what waited for him had an end ({grown} KiB)", grown < 20000)
    unharmed("after that")
    sock.close()


def test_idle(server):
    """As many connections as somebody with many addresses can get."""
    memory = server.memory_kb()
    held = []
    for number in range(1600):
        # each source within what it may do in a burst
        sock = socket.socket()
        sock.bind((f"127.0.1.{number % 8 + 1}", 0))
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", server.port))
        held.append(sock)
        if number % 100 == 99:
            time.sleep(0.05)
    check("connections in all have a limit", eventually(5, lambda: server.count("connections.full") > 100
                                                        and server.show("stats")["connections"] <= 1200))
    grown = (server.memory_kb() - memory) / 1200
    check(f"each takes little memory ({grown:.0f} KiB)", grown < 120)
    unharmed("under 1200 idle connections")
    for sock in held:
        sock.close()
    check("when they are gone, they are gone",
          eventually(8, lambda: server.show("stats")["connections"] < 20))
    with server.tls(source="127.0.0.6") as sock:
        sock.sendall(request())
        check("and others are let in again", response(sock)[0] == 200)


def test_one_source(server):
    held, refused = [], 0
    for _ in range(700):
        try:
            sock = server.tcp(source="127.0.2.1")
            held.append(sock)
        except OSError:
            refused += 1
    check("of one source there are so many and no more", eventually(5, lambda: server.count(
        "connections.source") > 50) and server.show("stats")["connections"] < 500)
    with server.tls(source="127.0.2.2") as sock:
        sock.sendall(request())
        check("its neighbour does not suffer", response(sock)[0] == 200)
    for sock in held:
        sock.close()
    check("a source that comes back is let in", eventually(15, lambda: can_connect(server, "127.0.2.1")))


def can_connect(server, source):
    try:
        with server.tls(source=source) as sock:
            sock.sendall(request())
            return response(sock)[0] == 200
    except OSError:
        return False


def test_connect_rate(server):
    begun, accepted = time.monotonic(), 0
    while time.monotonic() - begun < 4:
        if len([1 for _ in range(50) if attempt(server)]):
            accepted += 1
    check("who connects again and again is held up", server.count("connections.rate") > 100)
    unharmed("under that")


def attempt(server):
    try:
        with server.tcp(source="127.0.3.1") as sock:
            sock.sendall(b"x")
            return True
    except OSError:
        return False


def flood(server, method, source):
    """One request after the other, as fast as they are answered: how often each status came, and
    whether the connection was ended at last; and the longest that a user had to wait meanwhile."""
    sock = server.tls(source=source)
    got, end, retry, worst = {}, False, True, 0
    begun = time.monotonic()
    while time.monotonic() - begun < 6 and not end:
        try:
            sock.sendall(request(method))
            status, text = response(sock)
        except OSError:
            status = None
        end = status is None
        if status == 503:
            retry = retry and re.search(r"Retry-After: *\d", text) is not None
        if not end:
            got[status] = got.get(status, 0) + 1
        if len(got) and sum(got.values()) % 10 == 0:
            worst = max(worst, phone.delay())
    return got, end, retry, worst


def blast(server, source):
    """All at once, and no answer is waited for."""
    sock = server.tls(source=source)
    sock.settimeout(1)
    worst = 0
    try:
        for _ in range(200):
            sock.sendall(b"".join(request(method) for method in ("OPTIONS", "REGISTER", "INVITE") * 20))
            worst = max(worst, phone.delay())
    except OSError:
        pass
    sock.close()
    return worst


def test_floods(server):
    cuts = server.count("cut.requests")
    for number, method in enumerate(("OPTIONS", "REGISTER", "INVITE", "MESSAGE", "SUBSCRIBE")):
        before = server.count("requests.rate")
        got, end, retry, worst = flood(server, method, f"127.0.4.{number + 1}")
        served = sum(count for status, count in got.items() if status != 503)
        check(f"a flood of {method} is refused with 503 and Retry-After, then cut: {got}",
              got.get(503, 0) >= 30 and retry and end and 30 <= served <= 70
              and server.count("requests.rate") > before)
        check(f"in it, a user waited {worst * 1000:.0f} ms at most", worst < 1)
    check("the floods are counted", server.count("cut.requests") == cuts + 5)
    worst = max(blast(server, f"127.0.7.{number + 1}") for number in range(20))
    check(f"twenty of them, without waiting for answers: a user waited {worst * 1000:.0f} ms", worst < 1)
    lines = len(re.findall(r"request refused", server.said()))
    check(f"and do not fill the log ({lines} lines)", 1 <= lines <= 60)


def test_sizes(server):
    for what, text, counter in (
            ("too many headers", request(headers="X-A: 1\r\n" * 100), "message.headers"),
            ("too large a body", request(headers="Content-Type: text/plain\r\n", body="x" * 5000), "message.body"),
            ("too large a message", request(headers="X-A: " + "x" * 30000 + "\r\n"), "message.size")):
        before = server.count(counter)
        with server.tls(source="127.0.5.1") as sock:
            sock.sendall(text)
            status, _ = response(sock)
            wanted = None if counter == "message.size" else 413
            check(f"{what}: refused ({status}), the connection closed, counted", status == wanted
                  and ended(sock, 6) and server.count(counter) == before + 1)
    with server.tls(source="127.0.5.1") as sock:
        sock.sendall(request(headers="X-A: 1\r\n" * 40 + "Content-Type: text/plain\r\n", body="x" * 4000))
        check("what is within the limits is answered", response(sock)[0] == 200)


def test_crlf(server):
    sock = server.tls(source="127.0.6.1")
    try:
        for _ in range(20000):
            sock.sendall(b"\r\n" * 8)
        check("a flood of CRLF is cut", ended(sock, 5))
    except OSError:
        check("a flood of CRLF is cut", True)
    unharmed("after it")


def answers_stranger(server):
    with server.tls(source="127.0.8.3") as sock:
        sock.sendall(request())
        return response(sock)[0] == 200


def test_overload(server):
    """Work that is late, because the process gets no time: strangers are refused first."""
    stranger, other = server.tls(source="127.0.8.1"), server.tls(source="127.0.8.2")
    before = server.count("requests.load")
    served = refused = known = 0
    rounds = 12  # they end before login_s
    for _ in range(rounds):
        os.kill(server.process.pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(server.process.pid, signal.SIGCONT)
        for sock in (stranger, other):
            sock.sendall(request())
            status = response(sock)[0]
            served += status == 200
            refused += status == 503
        known += phone.delay() < 1
    check(f"when work is late, strangers are refused ({refused} of {served + refused}), and counted",
          refused >= rounds / 2 and server.count("requests.load") == before + refused)
    check(f"users less ({rounds - known} of {rounds})", rounds - known < refused)
    # on connections of their own: strangers' don't last
    check("when it is over, all are served", eventually(10, lambda: (
        time.sleep(0.2), answers_stranger(server))[1]))
    unharmed("and a user")


def test_idle_users(build):
    server = Server(build, limits="idle_s: 3, message_s: 1")
    try:
        mute, lively = Phone(server), Phone(server)
        begun = time.monotonic()
        while time.monotonic() - begun < 6:
            lively.sock.sendall(b"\r\n\r\n")
            time.sleep(0.5)
        check("a user of whom nothing is heard is cut off", ended(mute.sock, 1)
              and server.count("cut.idle") == 1)
        lively.sock.settimeout(1)
        while lively.sock.recv(1000) != b"\r\n":
            pass
        check("one who sends CRLF CRLF is not", server.show("stats")["connections"] == 1)
    finally:
        server.end()


def test_descriptors(build):
    """No descriptor is left for more connections: those that are open are served."""
    server = Server(build, limits="connects_per_second: 1000, handshake_s: 4")
    try:
        user = Phone(server)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (60, 60))
        held = [server.tcp(source="127.0.0.66") for _ in range(100)]
        check("it is told, and counted", eventually(5, lambda: "no descriptor" in server.said()))
        check(f"it does not turn in circles ({busy(server):.1f} of a CPU)", busy(server) < 0.5)
        check("who is connected is served", user.delay() < 1)
        for sock in held:
            sock.close()
        check("when there are some again, others are let in",
              eventually(10, lambda: can_connect(server, "127.0.0.6")))
    finally:
        if failed:
            print(server.said())
        server.end()


def busy(server):
    """The share of a CPU that the process takes for a second."""
    def ticks():
        with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as stat:
            return sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13]))
    before = ticks()
    time.sleep(1)
    return (ticks() - before) / os.sysconf("SC_CLK_TCK")


def main():
    test_idle_users(sys.argv[1])
    test_descriptors(sys.argv[1])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    server = Server(sys.argv[1], limits=LIMITS)
    run((test_login, test_sizes, test_handshakes, test_strangers, test_slow_loris, test_never_reads, test_one_source, test_idle, test_connect_rate, test_floods,
         test_crlf, test_overload), server)
    return 1 if failed else 0


sys.exit(main())
