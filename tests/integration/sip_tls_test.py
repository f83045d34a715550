#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""TLS as strangers, phones and trunks meet it: versions, suites, resumption, mutual TLS, certificates
that are renewed under open connections, what keeps them alive.

usage: sip_tls_test.py BUILD
"""
import os
import re
import signal
import socket
import ssl
import subprocess
import sys

from sip_server import DOMAIN, Server, check, ended, eventually, failed, request, response, run


def s_client(server, *words, port=None, line=b""):
    """What OpenSSL's own client says of a connection."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port or server.port}",
                           "-servername", DOMAIN, "-CAfile", server.path("ca.pem"), *words],
                          input=line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    return done.stdout.decode(errors="replace")


def test_versions(server):
    for version, wanted in (("tls1", False), ("tls1_1", False), ("tls1_2", True), ("tls1_3", True)):
        said = s_client(server, "-" + version, "-cipher", "ALL:@SECLEVEL=0")
        check(f"{version} is {'spoken' if wanted else 'refused'}",
              ("Cipher is (NONE)" not in said and "Verify return code: 0" in said) == wanted)


def test_suites(server):
    listed = subprocess.run(["openssl", "ciphers", "-s", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
                            stdout=subprocess.PIPE, check=True).stdout.decode().strip().split(":")
    taken = [suite for suite in listed
             if "Cipher is (NONE)" not in s_client(server, "-tls1_2", "-cipher", suite + ":@SECLEVEL=0")]
    check(f"of {len(listed)} suites of TLS 1.2 only AEAD with forward secrecy are taken: {taken}",
          len(taken) >= 2 and all(re.match(r"ECDHE-.*(GCM|CHACHA20)", suite) for suite in taken))
    check("no renegotiation", "no renegotiation" in s_client(server, "-tls1_2", line=b"R\n"))


def test_resumption(server):
    for version in ("-tls1_2", "-tls1_3"):
        before = server.count("tls.resumed")
        saved = server.path("session" + version)
        first = session(server, version, ["-sess_out", saved])
        again = session(server, version, ["-sess_in", saved])
        check(f"{version}: a session is resumed by its ticket", "New, TLS" in first
              and "Reused, TLS" in again and server.count("tls.resumed") == before + 1)
    without = session(server, "-tls1_2", ["-no_ticket", "-sess_out", server.path("id")])
    again = session(server, "-tls1_2", ["-no_ticket", "-sess_in", server.path("id")])
    check("and by its identifier, for those without tickets",
          "New, TLS" in without and "Reused, TLS" in again)
    server.reload()
    again = session(server, "-tls1_3", ["-sess_in", server.path("session-tls1_3")])
    check("but not after authorities may have changed", "New, TLS" in again)


def session(server, version, words):
    """A connection that says something, so that tickets have come when it ends."""
    client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", version,
                               "-servername", DOMAIN, "-CAfile", server.path("ca.pem"), *words],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    client.stdin.write(request())
    client.stdin.flush()
    said = b""
    while b"SIP/2.0 200" not in said:
        more = client.stdout.read1(65536)
        if not more:
            break
        said += more
    client.stdin.close()
    said += client.stdout.read()
    client.wait(10)
    return said.decode(errors="replace")


def peering_answers(server, certificate, **limits):
    """The status of an answer that a trunk with this certificate gets; None: TLS failed."""
    try:
        with server.tls(port=server.trunk_port, certificate=certificate, **limits) as sock:
            sock.sendall(request())
            return response(sock)[0]
    except OSError:
        return None


def test_mutual(server):
    server.certify("trunk", "trunks", "trunk.example.com")
    server.certify("foreign", "strangers", "trunk.example.com")
    server.certify("late", "trunks", "trunk.example.com", days=-1)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        limits = {"most": version, "least": version}
        before = server.count("tls.peer_refused")
        check(f"{version.name}: a trunk's certificate of our authority is let in",
              peering_answers(server, "trunk", **limits) is not None)
        check("one of another authority is not", peering_answers(server, "foreign", **limits) is None)
        check("nor one that has expired", peering_answers(server, "late", **limits) is None)
        check("nor none", peering_answers(server, None, **limits) is None)
        check("and each is counted", server.count("tls.peer_refused") == before + 3)
    check("phones are not asked for one", "Acceptable client certificate" not in s_client(server)
          and "CN = trunks" in s_client(server, port=server.trunk_port))
    with server.tls(port=server.trunk_port, certificate="trunk") as sock:
        sock.sendall(request("REGISTER"))
        check("no phone registers where trunks are", response(sock)[0] == 403)
    with server.tls(certificate="trunk") as sock:
        sock.sendall(request("REGISTER"))
        check("a certificate is no login where phones are", response(sock)[0] == 401)


def serial(sock):
    return ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True))


def test_reload(server):
    old = server.tls()
    old.sendall(request())
    first = serial(old)
    check("an open connection", response(old)[0] == 200)
    server.certify("server", "ca", DOMAIN)
    with server.tls() as sock:
        check("a new certificate is not taken by itself", serial(sock) == first)
    check("SIGHUP is noticed", server.reload())
    with server.tls() as sock:
        second = serial(sock)
        check("then new connections get it", second != first)
    old.sendall(request())
    check("and the open one goes on", response(old)[0] == 200)

    good = server.path("server.key"), server.path("kept.key")
    os.rename(*good)
    server.certify("other", "ca", DOMAIN)
    os.rename(server.path("other.key"), server.path("server.key"))
    server.reload()
    with server.tls() as sock:
        check("a key that does not belong to it changes nothing", serial(sock) == second)
    check("and is told", "nothing is changed: sip.private_key: " in server.said())
    os.rename(*reversed(good))
    with open(server.path("trunks.pem"), "r+", encoding="ascii") as ca:
        kept = ca.read()
        ca.seek(0)
        ca.truncate()
        ca.write("nonsense")
        ca.flush()
        server.reload()
        check("authorities that can't be read change nothing",
              peering_answers(server, "trunk") is not None
              and "nothing is changed: sip.peering.ca: " in server.said())
        ca.seek(0)
        ca.truncate()
        ca.write(kept)
    with open(server.path("c.yaml"), "a", encoding="ascii") as config:
        config.write("nonsense: 1\n")
    server.reload()
    check("a bad configuration, too", re.search(r"nothing is changed: \S+c.yaml:\d+: nonsense", server.said()))
    server.write(peering=True)
    with open(server.path("strangers.pem"), encoding="ascii") as more, \
            open(server.path("trunks.pem"), "a", encoding="ascii") as ca:
        ca.write(more.read())
    server.reload()
    check("another authority is taken, too", peering_answers(server, "foreign") is not None)
    old.sendall(request())
    check("the first connection still goes on", response(old)[0] == 200)
    with open(server.path("c.yaml"), "a", encoding="ascii") as config:
        config.write("log: {level: error}\n")
    server.reload()
    lines, times = server.said().count("read anew"), server.count("reloads")
    server.process.send_signal(signal.SIGHUP)
    check("the log's level is taken", eventually(5, lambda: server.count("reloads") == times + 1)
          and server.said().count("read anew") == lines)
    server.write(peering=True)
    server.process.send_signal(signal.SIGHUP)
    check("and back", eventually(5, lambda: server.count("reloads") == times + 2) and server.reload()
          and server.said().count("read anew") == lines + 1)
    old.close()


def test_expiry(server):
    rows = server.show("certificates")
    check("certificates are shown with what is left of them",
          len(rows) == 1 and rows[0]["days"] in (4, 5) and rows[0]["names"] == [DOMAIN]
          and rows[0]["file"] == server.path("server.pem"))
    check("a week before its end it was told", re.search(
        r"warning: sip.certificate: \S+ expires in [45] day", server.said()) is not None)
    server.certify("server", "ca", DOMAIN, days=400)
    before = server.count("certificates.warnings")
    server.reload()
    check("one that is good for long is no reason to speak", server.count("certificates.warnings") == before
          and server.show("certificates")[0]["days"] in (399, 400))
    server.certify("server", "ca", DOMAIN, days=-1)
    server.reload()
    check("one that has expired is not taken", server.show("certificates")[0]["days"] in (399, 400))


def test_keepalive(server):
    with server.tls() as sock:
        sock.settimeout(5)
        sock.sendall(b"\r\n\r\n")
        check("CRLF CRLF is answered by CRLF", sock.recv(100) == b"\r\n")
        sock.sendall(b"\r\n")
        sock.sendall(b"\r\n")
        check("in two pieces, too", sock.recv(100) == b"\r\n")
        sock.sendall(request() + b"\r\n\r\n")
        check("behind a message, too", response(sock)[0] == 200 and sock.recv(100) == b"\r\n")
        sock.sendall(b"\r\n\r\n" + request())
        check("and before one", sock.recv(2) == b"\r\n" and response(sock)[0] == 200)
        whole = request("MESSAGE", "Content-Type: text/plain\r\n", "a\r\n\r\nb")
        cut = whole.index(b"\r\n\r\nb")
        for part in (whole[:cut], whole[cut:cut + 4], whole[cut + 4:]):
            sock.sendall(part)
        check("in the middle of a body it is none", response(sock)[0] is not None)
        check("the connection is as good as before", (sock.sendall(request()), response(sock)[0])[1] == 200)


def test_together(server):
    with server.tls() as sock:
        sock.settimeout(5)
        sock.sendall(b"".join(request() for _ in range(5)))
        answers = sock.recv(65536) # of one TLS record
        check("answers to requests that came together go out together",
              answers.count(b"SIP/2.0 200 OK\r\n") == 5 and answers.endswith(b"\r\n\r\n"))
        sock.sendall(request())
        check("and the connection is as good as before", response(sock)[0] == 200)


def test_via(server):
    with server.tls() as sock, server.tls() as other:
        sock.sendall(request(via=f"203.0.113.7:{other.getsockname()[1]};received=198.51.100.9;rport=1"))
        status, text = response(sock)
        via = re.search(r"Via: (.*)\r\n", text).group(1)
        check(f"received and rport are what the socket says ({via})", status == 200
              and "received=127.0.0.1" in via and f"rport={sock.getsockname()[1]}" in via
              and "198.51.100.9" not in via)
        sock.sendall(request(via=f"127.0.0.1:{other.getsockname()[1]}"))
        check("the answer comes on the connection of the request", response(sock)[0] == 200)
        check("and nowhere else", not readable(other))
        sock.sendall(request(via="alice.invalid:5061;maddr=127.0.0.1;ttl=1"))
        check("maddr does not lead it away", response(sock)[0] == 200)
        with socket.socket() as trap:
            trap.bind(("127.0.0.1", 0))
            trap.listen()
            gone = server.tls()
            gone.sendall(request(via="127.0.0.1:%d" % trap.getsockname()[1]))
            gone.close()
            trap.settimeout(1)
            try:
                trap.accept()
                connected = True
            except TimeoutError:
                connected = False
            check("nobody is connected to because a Via says so", not connected)


def readable(sock):
    sock.settimeout(0.3)
    try:
        return bool(sock.recv(1))
    except TimeoutError:
        return False


def test_looking(server):
    def sallyctl(*words):
        done = subprocess.run([server.tool("sallyctl-sip"), "--socket", server.path("sip.sock"), *words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout.decode(), done.stderr.decode()
    check("sallyctl sip stats is a table of what is not zero", re.search(
        r"(?m)^tls.accepted +\d+  TLS handshakes", sallyctl("stats")[1]) is not None
        and "cut.idle" not in sallyctl("stats")[1] and "cut.idle" in sallyctl("stats", "--all")[1])
    check("certificates, too", server.path("server.pem") in sallyctl("certificates")[1])
    check("calls, of which there are none", sallyctl("calls")[1].split() == [
        "ID", "CALLER", "CALLEE", "STATE", "AGE", "s", "TALK", "s"])
    check("wrong words are told: 2", sallyctl("frobnicate")[0] == 2 and sallyctl()[0] == 2
          and sallyctl("calls", "calls")[0] == 2)
    done = subprocess.run([server.tool("sallyctl-sip"), "--socket", "/nonexistent", "stats"],
                          stderr=subprocess.PIPE)
    check("nobody there: 3", done.returncode == 3 and b"no sallyport-sip answers" in done.stderr)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as raw:
        raw.connect(server.path("sip.sock"))
        raw.settimeout(5)
        for asked in (b"{", b"[]", b'{"show": 1}', b'{"show": "calls", "from": -1}', b'{"show": "keys"}'):
            raw.send(asked)
            check(f"{asked.decode()} is refused", b'"error"' in raw.recv(1000))
        raw.send(b" " * 5000)
        check("and what is too long ends it", raw.recv(1000) == b"")


class Trunk:
    """A trunk that is pinged: its listener, with this certificate, asking for ours."""

    def __init__(self, server, certificate, authority="ca"):
        self.names, self.subjects, self.asked = [], [], 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.path(certificate + ".pem"), server.path(certificate + ".key"))
        context.load_verify_locations(server.path(authority + ".pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        context.sni_callback = lambda sock, name, context: self.names.append(name)
        self.context = context
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]

    def meet(self, seconds=8):
        """One connection: the first line that is heard on it; None: TLS failed, or nobody came."""
        self.listener.settimeout(seconds)
        try:
            plain, _ = self.listener.accept()
            plain.settimeout(5)
            with self.context.wrap_socket(plain, server_side=True) as sock:
                self.subjects.append(dict(part[0] for part in sock.getpeercert()["subject"])["commonName"])
                return sock.recv(1000).decode().split("\r\n")[0] or None
        except OSError:
            return None


def trunk_lines(server, trunks):
    return "  trunks:\n" + "".join(
        f"    - {{name: {name}, address: '127.0.0.1:{trunk.port}', tls_name: {tls_name}, ping_s: 5{more}}}\n"
        for name, trunk, tls_name, more in trunks)


def test_outgoing(build):
    """We connect to trunks, which are the servers then: pings do it."""
    server = Server(build, peering=True)
    try:
        server.certify("right", "trunks", "carrier.example.net")
        server.certify("wrong", "trunks", "elsewhere.example.net")
        server.certify("star", "trunks", "*.example.net")
        server.certify("stranger", "strangers", "carrier.example.net")
        server.certify("own", "ca", "us.example.org")
        trunks = [(name, Trunk(server, certificate), "carrier.example.net", more)
                  for name, certificate, more in (
                      ("good", "right", ""), ("bad", "wrong", ""), ("wild", "star", ""),
                      ("foreign", "stranger", ""),
                      ("special", "right", f", certificate: {server.path('own.pem')}, "
                                           f"private_key: {server.path('own.key')}"))]
        trunks[4] = trunks[4][:2] + ("CARRIER.example.net",) + trunks[4][3:]
        server.end(keep=True)
        server.write(peering=True, sip=trunk_lines(server, trunks[:4]))
        server.start()
        said = {name: trunk.meet() for name, trunk, *_ in trunks[:4]}
        good = trunks[0][1]
        check(f"a trunk whose name is right gets our OPTIONS ({said['good']})",
              (said["good"] or "").startswith("OPTIONS "))
        check("it hears its own name (SNI), and sees our certificate", good.names == ["carrier.example.net"]
              and good.subjects == ["server"])
        for name, what in (("bad", "another name"), ("wild", "a wildcard"), ("foreign", "another authority")):
            check(f"one with {what} gets nothing", said[name] is None)
        check("and each is counted", server.count("tls.peer_refused") >= 3
              and server.count("tls.connected") >= 1)
        server.end(keep=True)
        server.write(peering=True, sip=trunk_lines(server, trunks[4:]))
        server.start()
        special = trunks[4][1]
        check("a trunk may have a certificate of ours of its own",
              special.meet() is not None and special.subjects == ["own"])
    finally:
        if failed:
            print(server.said())
        server.end()


def main():
    test_outgoing(sys.argv[1])
    server = Server(sys.argv[1], peering=True, limits="connects_per_second: 1000")
    run((test_versions, test_suites, test_resumption, test_mutual, test_reload, test_expiry, test_keepalive,
         test_together, test_via, test_looking), server)
    return 1 if failed else 0


sys.exit(main())
