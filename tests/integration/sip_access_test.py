#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""sallyport-sip as a stranger and as a phone meet it, over loopback and without a relay: its TLS,
digest and registrar. No root needed.

usage: sip_access_test.py SALLYPORT_SIP SALLYCTL_USER
"""
import hashlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import warnings

# old versions of TLS are wanted here
warnings.simplefilter("ignore", DeprecationWarning)
DOMAIN = "access.test"
failed = 0


def check(sentence, holds):
    global failed
    print(("ok: " if holds else "NOT OK: ") + sentence, flush=True)
    failed += not holds


class Server:
    """A sallyport-sip of our own, in a folder of its own."""

    def __init__(self, program, adder, more="", limits="connects_per_second: 10000",
                 expires_max_s=90):
        """`more`: lines of the configuration, at its end."""
        self.program, self.port = program, self.free_port()
        self.folder = tempfile.mkdtemp()
        tls = ["-nodes", "-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        subprocess.run(["openssl", "req", "-x509", *tls, "-subj", "/CN=" + DOMAIN, "-addext",
                        "subjectAltName=DNS:" + DOMAIN, "-keyout", self.path("key.pem"),
                        "-out", self.path("cert.pem")], check=True, stderr=subprocess.DEVNULL)
        with open(self.path("c.yaml"), "w", encoding="ascii") as config:
            config.write(f"media: {{socket: {self.path('relay.sock')}}}\n"
                         f"sip:\n  address: 127.0.0.1\n  port: {self.port}\n  domain: {DOMAIN}\n"
                         f"  certificate: {self.path('cert.pem')}\n"
                         f"  private_key: {self.path('key.pem')}\n"
                         f"  users: {self.path('users.db')}\n"
                         f"  bindings: {self.path('bindings.db')}\n"
                         "  expires_min_s: 2\n  expires_default_s: 60\n"
                         f"  expires_max_s: {expires_max_s}\n"
                         f"  limits: {{{limits}}}\n"
                         f"  control_socket: {self.path('sip.sock')}\n" + more)
        for name in ("alice", "bob"):
            subprocess.run([adder, "--config", self.path("c.yaml"), "add", name], check=True,
                           input=b"secret of " + name.encode(), stdout=subprocess.DEVNULL)
        self.start()

    def start(self):
        with open(self.path("log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([self.program, "--config", self.path("c.yaml")],
                                            stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while "listening on" not in self.said():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("sallyport-sip did not start: " + self.said())
            time.sleep(0.05)

    @staticmethod
    def free_port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def path(self, name):
        return os.path.join(self.folder, name)

    def said(self):
        with open(self.path("log"), encoding="utf-8") as log:
            return log.read()

    def memory_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def connect(self):
        """A TCP connection."""
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def await_read(self, sock):
        """Until the server has read all that this connection brought."""
        ours = "%s:%04X" % ("0100007F", sock.getsockname()[1])
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with open("/proc/net/tcp", encoding="ascii") as table:
                for row in map(str.split, table):
                    if row[2] == ours and row[1].endswith(":%04X" % self.port):
                        if row[4].endswith(":00000000"):
                            return
            time.sleep(0.01)

    def end(self):
        self.process.terminate()
        try:
            status = self.process.wait(8)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        shutil.rmtree(self.folder)
        return status


def context(server, **limits):
    made = ssl.create_default_context(cafile=server.path("cert.pem"))
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.minimum_version = limits.get("least", ssl.TLSVersion.TLSv1_2)
    made.maximum_version = limits.get("most", ssl.TLSVersion.TLSv1_3)
    if "ciphers" in limits:
        made.set_ciphers(limits["ciphers"])
    return made


def handshake(server, **limits):
    """The version and cipher that come of it, or None."""
    try:
        with context(server, **limits).wrap_socket(server.connect(), server_hostname=DOMAIN) as tls:
            return tls.version(), tls.cipher()[0]
    except OSError:
        return None


def quoted(challenge):
    return dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))


class Phone:
    """Registers, as one phone on one connection."""

    def __init__(self, server, user):
        self.user = user
        self.sock = context(server).wrap_socket(server.connect(), server_hostname=DOMAIN)
        self.call_id = os.urandom(8).hex()
        self.cseq = 0
        self.nonces = 0

    def request(self, headers="", method="REGISTER", uri="sip:" + DOMAIN, sender=None, split=0):
        self.cseq += 1
        sender = sender or f"<sip:{self.user}@{DOMAIN}>"
        text = (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK"
                f"{os.urandom(8).hex()}\r\nMax-Forwards: 70\r\nFrom: {sender};tag=1\r\nTo: {sender}\r\n"
                f"Call-ID: {self.call_id}\r\nCSeq: {self.cseq} {method}\r\n{headers}"
                "Content-Length: 0\r\n\r\n")
        self.sock.sendall(text.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = self.sock.recv(65536)
            if not more:
                raise OSError("closed")
            answer += more
        lines = answer.decode().split("\r\n")
        fields = [line.split(": ", 1) for line in lines[1:] if ": " in line]
        return int(lines[0].split()[1]), fields

    def credentials(self, challenges, algorithm, password, user=None, nc=1, method="REGISTER",
                    uri="sip:" + DOMAIN):
        for text in challenges:
            offered = quoted(text)
            if offered["algorithm"] == algorithm:
                break
        digest = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

        def hexed(text):
            return digest(text.encode()).hexdigest()
        user = user or self.user
        first = hexed(f"{user}:{DOMAIN}:{password}")
        second = hexed(f"{method}:{uri}")
        response = hexed(f"{first}:{offered['nonce']}:{nc:08x}:c0ffee:auth:{second}")
        return (f'Authorization: Digest username="{user}", realm="{DOMAIN}", '
                f'nonce="{offered["nonce"]}", uri="{uri}", response="{response}", '
                f'algorithm={algorithm}, cnonce="c0ffee", opaque="{offered["opaque"]}", qop=auth, '
                f"nc={nc:08x}\r\n")

    def register(self, headers, algorithm="SHA-256", password=None, user=None, sender=None):
        """Status, headers of the answer to a REGISTER with credentials; keeps the challenges."""
        _, fields = self.request(headers, sender=sender)
        self.challenges = [value for name, value in fields if name == "WWW-Authenticate"]
        proof = self.credentials(self.challenges, algorithm, password or "secret of " + self.user, user)
        return self.request(headers + proof, sender=sender)

    def bindings(self):
        """The contacts that the registrar has of us, with their expires."""
        _, fields = self.register("")
        contacts = ", ".join(value for name, value in fields if name == "Contact")
        return {uri: int(left) for uri, left in re.findall(r"<([^>]+)>;expires=(\d+)", contacts)}


def test_tls(server):
    check("TLS 1.3 is spoken", (handshake(server) or [0])[0] == "TLSv1.3")
    check("TLS 1.2 is spoken", (handshake(server, most=ssl.TLSVersion.TLSv1_2) or [0])[0] == "TLSv1.2")
    check("TLS 1.1 is not", handshake(server, least=ssl.TLSVersion.TLSv1, most=ssl.TLSVersion.TLSv1_1)
          is None)
    check("a suite without AEAD is not", handshake(server, most=ssl.TLSVersion.TLSv1_2, ciphers=(
        "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")) is None)


def test_memory(server):
    def visit(times):
        for _ in range(times):
            handshake(server)
    visit(300)
    before = server.memory_kb()
    visit(600)
    grown = server.memory_kb() - before
    check(f"600 connections leave no memory behind ({grown} KiB)", grown < 2048)


def test_neighbours(server):
    """Somebody's failed handshake is not taken for a fault of ours, in the middle of a record."""
    inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context(server).wrap_bio(inside, outside, server_hostname=DOMAIN)
    wire = server.connect()
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            wire.sendall(outside.read())
            inside.write(wire.recv(65536))
    wire.sendall(outside.read())
    server.await_read(wire)
    tls.write(f"OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK1\r\n"
              "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: n\r\nCSeq: 1 OPTIONS\r\n"
              "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n".encode())
    record = outside.read()
    with server.connect() as other:
        other.sendall(b"GET / HTTP/1.0\r\n\r\n")
        try:
            while other.recv(100):
                pass
        except OSError:
            pass
    answer = b""
    try:
        wire.sendall(record[:20])
        server.await_read(wire)
        wire.sendall(record[20:])
        while not answer:
            more = wire.recv(65536)
            if not more:
                break
            inside.write(more)
            try:
                answer = tls.read(65536)
            except ssl.SSLWantReadError:
                pass
    except OSError:
        pass
    check("garbage on one connection does not hurt another", answer.startswith(b"SIP/2.0 200"))


def test_silence(server):
    silent = server.connect()
    silent.settimeout(20)
    begun = time.monotonic()
    try:
        ended = silent.recv(1) == b""
    except ConnectionResetError:
        ended = True
    except TimeoutError:
        ended = False
    check(f"a handshake that never begins is cut off ({time.monotonic() - begun:.0f} s)", ended)


def test_digest(server):
    phone = Phone(server, "alice")
    contact = "Contact: <sip:alice@127.0.0.1:9;transport=tls>\r\n"
    check("SHA-256 registers", phone.register(contact)[0] == 200)
    check("the strongest is offered first, MD5 last",
          [quoted(text)["algorithm"] for text in phone.challenges] == ["SHA-512-256", "SHA-256", "MD5"])
    check("MD5 registers", phone.register(contact, algorithm="MD5")[0] == 200)
    used = phone.challenges
    status, fields = phone.request(contact + phone.credentials(used, "MD5", "secret of alice"))
    check("an answer used twice is refused, as stale", status == 401 and all(
        "stale=true" in value for name, value in fields if name == "WWW-Authenticate"))
    status, _ = phone.request(contact + phone.credentials(used, "MD5", "secret of alice", nc=2))
    check("with a higher nc it is not", status == 200)
    wrong = phone.register(contact, password="guess")
    unknown = phone.register(contact, user="nobody", password="guess")
    names = [[name for name, _ in fields] for _, fields in (wrong, unknown)]
    check("a wrong password and an unknown user look the same",
          wrong[0] == unknown[0] == 401 and names[0] == names[1])
    check("one user can't register another", phone.register(
        contact, sender=f"<sip:bob@{DOMAIN}>", password="secret of alice", user="alice")[0] == 403)
    check("failures are logged with source, user and reason", re.search(
        r"authentication failed: REGISTER from 127\.0\.0\.1:\d+: user alice: wrong response",
        server.said()) is not None)
    check("no secret is logged", "secret of" not in server.said())


def test_registrar(server):
    phone = Phone(server, "bob")
    first, second = "sip:bob@127.0.0.1:9;transport=tls", "sip:bob@127.0.0.1:10;transport=tls"
    status, fields = phone.register(f"Contact: <{first}>\r\nExpires: 1\r\n")
    check("too short is 423 with Min-Expires", status == 423 and ["Min-Expires", "2"] in fields)
    phone.register(f"Contact: <{first}>\r\n")
    check("no wish gets the default", phone.bindings() in ({first: 60}, {first: 59}))
    phone.register(f"Contact: <{second}>;expires=5000, <{first}>;expires=2\r\n")
    bound = phone.bindings()
    check("several contacts, each with its own expires, the longest cut",
          set(bound) == {first, second} and bound[first] <= 2 and 88 <= bound[second] <= 90)
    deadline = time.monotonic() + 6
    while first in phone.bindings() and time.monotonic() < deadline:
        time.sleep(0.1)
    check("a binding expires", set(phone.bindings()) == {second})
    check("* wants Expires: 0", phone.register("Contact: *\r\nExpires: 5\r\n")[0] == 400)
    check("* with others is refused", phone.register(
        f"Contact: *\r\nContact: <{first}>\r\nExpires: 0\r\n")[0] == 400)
    check("and has removed nothing", set(phone.bindings()) == {second})
    phone.register("Contact: *\r\nExpires: 0\r\n")
    check("* removes all", phone.bindings() == {})
    phone.register(f"Contact: <{first}>\r\n")
    other = Phone(server, "bob")
    check("a binding is seen from another connection", set(other.bindings()) == {first})
    phone.sock.close()
    deadline = time.monotonic() + 6
    while other.bindings() and time.monotonic() < deadline:
        time.sleep(0.1)
    check("it goes with its own connection", other.bindings() == {})


def main():
    server = Server(sys.argv[1], sys.argv[2])
    try:
        for test in (test_tls, test_memory, test_neighbours, test_digest, test_registrar, test_silence):
            test(server)
    finally:
        check("sallyport-sip still lives", server.process.poll() is None)
        if failed:
            print(server.said())
        check("and ends when told, with status 0", server.end() == 0)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
