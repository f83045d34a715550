# SPDX-License-Identifier: BSD-3-Clause
"""A sallyport-sip on loopback for tests, in a folder of its own, with authorities and certificates of
its own; no relay, no root. What a test says to it goes over Python's own TLS."""
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

DOMAIN = "sip.test"
failed = []


def check(sentence, holds):
    print(("ok: " if holds else "NOT OK: ") + sentence, flush=True)
    if not holds:
        failed.append(sentence)
    return holds


def eventually(seconds, holds):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Server:
    def __init__(self, build, sip="", limits="", peering=False):
        self.build, self.folder = build, tempfile.mkdtemp()
        self.port, self.trunk_port = self.free_port(), self.free_port()
        for name in ("ca", "trunks", "strangers"):
            openssl("req", "-x509", *EC, "-days", "9", "-subj", "/CN=" + name, "-keyout",
                    self.path(name + ".key"), "-out", self.path(name + ".pem"))
        self.certify("server", "ca", DOMAIN)
        self.write(sip, limits, peering)
        for name in ("alice", "bob"):
            subprocess.run([self.tool("sallyctl-user"), "--config", self.path("c.yaml"), "add", name],
                           check=True, input=b"secret of " + name.encode(), stdout=subprocess.DEVNULL)
        self.start()

    def start(self):
        self.log = open(self.path("log"), "w", encoding="utf-8")
        self.process = subprocess.Popen([self.tool("sallyport-sip"), "--config", self.path("c.yaml")],
                                        stderr=self.log, stdin=subprocess.DEVNULL)
        if not eventually(15, lambda: "listening on" in self.said() or self.process.poll() is not None) \
                or self.process.poll() is not None:
            raise SystemExit("sallyport-sip did not start: " + self.said())

    def write(self, sip="", limits="", peering=False):
        with open(self.path("c.yaml"), "w", encoding="ascii") as config:
            config.write(f"media: {{socket: {self.path('relay.sock')}}}\n"
                         f"sip:\n  address: 127.0.0.1\n  port: {self.port}\n  domain: {DOMAIN}\n"
                         f"  certificate: {self.path('server.pem')}\n"
                         f"  private_key: {self.path('server.key')}\n"
                         f"  users: {self.path('users.db')}\n"
                         f"  bindings: {self.path('bindings.db')}\n"
                         f"  control_socket: {self.path('sip.sock')}\n"
                         + (f"  peering: {{address: 127.0.0.1, port: {self.trunk_port}, "
                            f"ca: {self.path('trunks.pem')}}}\n" if peering else "")
                         + (f"  limits: {{{limits}}}\n" if limits else "") + sip)

    def certify(self, name, authority, *names, days=5):
        openssl("req", *EC, "-subj", "/CN=" + name, "-keyout", self.path(name + ".key"),
                "-out", self.path(name + ".csr"))
        with open(self.path("ext"), "w", encoding="ascii") as ext:
            ext.write("subjectAltName=" + ",".join(one if ":" in one else "DNS:" + one for one in names))
        openssl("x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.path(authority + ".pem"),
                "-CAkey", self.path(authority + ".key"), "-CAcreateserial", "-days", str(days),
                "-extfile", self.path("ext"), "-out", self.path(name + ".pem"))

    @staticmethod
    def free_port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def tool(self, name):
        return os.path.join(self.build, "control", name)

    def path(self, name):
        return os.path.join(self.folder, name)

    def said(self):
        with open(self.path("log"), encoding="utf-8") as log:
            return log.read()

    def show(self, what):
        shown = subprocess.run([self.tool("sallyctl-sip"), "--socket", self.path("sip.sock"), what,
                                "--json"], check=True, stdout=subprocess.PIPE)
        return json.loads(shown.stdout)

    def count(self, name):
        return self.show("stats")[name]

    def memory_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def tcp(self, port=None, source="127.0.0.1"):
        sock = socket.create_connection(("127.0.0.1", port or self.port), timeout=10,
                                        source_address=(source, 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def context(self, certificate=None, **limits):
        made = ssl.create_default_context(cafile=self.path("ca.pem"))
        if certificate:
            made.load_cert_chain(self.path(certificate + ".pem"), self.path(certificate + ".key"))
        made.minimum_version = limits.get("least", ssl.TLSVersion.TLSv1_2)
        made.maximum_version = limits.get("most", ssl.TLSVersion.TLSv1_3)
        return made

    def tls(self, port=None, source="127.0.0.1", certificate=None, **limits):
        return self.context(certificate, **limits).wrap_socket(self.tcp(port, source), server_hostname=DOMAIN)

    def reload(self):
        before = self.said().count("read anew") + self.said().count("nothing is changed")
        self.process.send_signal(signal.SIGHUP)
        return eventually(5, lambda: self.said().count("read anew")
                          + self.said().count("nothing is changed") > before)

    def end(self, keep=False):
        self.process.terminate()
        try:
            status = self.process.wait(8)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        if not keep:
            shutil.rmtree(self.folder)
        return status


def request(method="OPTIONS", headers="", body="", branch=None, via="127.0.0.1:9"):
    token = os.urandom(8).hex()
    return (f"{method} sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TLS {via};branch=z9hG4bK{branch or token}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:alice@{DOMAIN}>;tag={token}\r\nTo: <sip:alice@{DOMAIN}>\r\n"
            f"Call-ID: {token}\r\nCSeq: 1 {method}\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def response(sock, seconds=10):
    """One response without a body: status and the whole text; None when the connection ends."""
    sock.settimeout(seconds)
    text = b""
    try:
        while b"\r\n\r\n" not in text:
            more = sock.recv(1)
            if not more:
                return None, text.decode()
            text += more
    except OSError:
        return None, text.decode()
    return int(text.split()[1]), text.decode()


def ended(sock, seconds):
    """Does the server end this connection within so many seconds? What it says before is passed over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        sock.settimeout(max(0.05, deadline - time.monotonic()))
        try:
            if not sock.recv(65536):
                return True
        except TimeoutError:
            return False
        except OSError:
            return True
    return False


def run(tests, server):
    try:
        for test in tests:
            test(server)
    except Exception:
        failed.append("a test ended by itself")
        print(server.said())
        raise
    finally:
        check("sallyport-sip still lives", server.process.poll() is None)
        if failed:
            print(server.said())
        check("and ends when told, with status 0", server.end() == 0)
