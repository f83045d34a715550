#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A trunk as it may behave: how it is connected to (by IPv6, name and certificate), pinged, taken out and
in again. Over loopback, without a relay; the trunk is Python's own TLS.

usage: trunk_ping_test.py BUILD_FOLDER
"""
import contextlib
import queue
import re
import socket
import ssl
import sys
import threading

from sip_server import DOMAIN, Server, check, eventually, failed, request, response


class Trunk:
    """Answers each request with `status`, or with nothing where that is None."""

    def __init__(self, server, context=None):
        self.status, self.requests, self.names = "200 OK", queue.Queue(), []
        self.open, self.accepted, self.resumed = [], 0, []
        self.context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(server.path("peer.pem"), server.path("peer.key"))
        self.context.load_verify_locations(server.path("trunks.pem"))
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.sni_callback = lambda _, name, __: self.names.append(name)
        self.socket = socket.create_server(("::1", 0), family=socket.AF_INET6)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            plain, _ = self.socket.accept()
            self.accepted += 1
            threading.Thread(target=self.serve_one, args=(plain,), daemon=True).start()

    def serve_one(self, plain):
        text = b""
        try:
            connection = self.context.wrap_socket(plain, server_side=True)
            self.resumed.append(connection.session_reused)
            self.open.append(connection)
            while True:
                more = connection.recv(65536)
                if not more:
                    return
                text += more
                while b"\r\n\r\n" in text:
                    head, _, text = text.partition(b"\r\n\r\n")
                    self.answer(connection, head.lstrip().decode())
        except OSError:
            pass

    def answer(self, connection, head):
        if head.split()[0] == "ACK":
            return
        self.requests.put((head, connection.getpeercert()["subject"][0][0][1]))
        if self.status is None:
            return
        lines = [line for line in head.split("\r\n")[1:]
                 if re.match(r"(?i)(via|from|call-id|cseq|to)\s*:", line)]
        lines = [line + ";tag=t" if line.lower().startswith("to:") else line for line in lines]
        connection.sendall("\r\n".join([f"SIP/2.0 {self.status}", *lines, "Content-Length: 0", "", ""]).encode())

    def close_all(self, goodbye=False):
        while self.open:
            connection = self.open.pop()
            if goodbye:
                with contextlib.suppress(OSError):
                    connection.unwrap()
            connection.close()

    def again(self):
        """Ends the connection; was the next one resumed? Once a request has come by it."""
        count = len(self.resumed)
        self.close_all(goodbye=True)
        eventually(6, lambda: len(self.resumed) > count)
        while not self.requests.empty():
            self.requests.get()
        self.requests.get(timeout=6)
        return self.resumed[-1]


def resumed(server, trunk):
    """Sessions, where we connect. `other` takes the same tickets, at another address."""
    def resumes(one):
        """A connection may close before its ticket has been read."""
        return any(one.again() for _ in range(3))

    check("a new connection is a handshake of its own, at first", trunk.resumed[0] is False)
    check("the next resumes its session (TLS 1.3)", resumes(trunk))
    check("and once more", resumes(trunk) and trunk.names[-1] == "peer.example")
    check("it sees the certificate all the same", trunk.requests.get(timeout=5)[1] == "ours")
    trunk.context.maximum_version = ssl.TLSVersion.TLSv1_2
    trunk.again()
    check("and with TLS 1.2", resumes(trunk))
    check("they are counted", server.count("tls.resumed") >= 3)
    other = Trunk(server, trunk.context)
    server.write(sip=server.peers.replace("\n  trunks:", f"""
  trunks:
    - {{name: other, address: '[::1]:{other.port}', tls_name: peer.example, ping_s: 1, certificate: {
        server.path('ours.pem')}, private_key: {server.path('ours.key')}}}"""))
    check("another trunk comes", server.reload() and other.requests.get(timeout=5))
    check("and is offered nobody's session", other.resumed == [False])
    check("after a reload none is resumed", trunk.again() is False)
    check("but from then on", resumes(trunk))
    check("each trunk has its own", resumes(trunk) and resumes(other))
    server.write(sip=server.peers.replace("tls_name: peer.example", "tls_name: wrong.example"))
    failures = server.count("tls.peer_refused")
    trunk.close_all(goodbye=True)
    check("under another name it is verified, and refused", server.reload() and eventually(
        6, lambda: server.count("tls.peer_refused") > failures))


def alias(server, trunk, port):
    """RFC 5923: the trunk connects to us, and says that we may use its connection."""
    def connect(name):
        plain = socket.create_connection(("::1", port), timeout=5)
        return server.context(name).wrap_socket(plain, server_hostname=DOMAIN)

    def said(sock, via):
        sock.sendall(request(via=via))
        return response(sock)[0]

    def pinged(sock):
        """Does the next ping come by it?"""
        sock.settimeout(1.6)
        try:
            head = sock.recv(65536).decode()
        except TimeoutError:
            return False
        trunk.answer(sock, head)
        return head.startswith("OPTIONS sip:[::1] ")

    own = "[::1]:%d" % trunk.port
    for sentence, name, via in (("that says nothing of it", "peer", own),
                                ("of another port", "peer", "[::1]:9;alias"),
                                ("of who is not the trunk", "ours", own + ";alias")):
        sock = connect(name)
        check("a connection %s is not used" % sentence, said(sock, via) == 200 and not pinged(sock))
        sock.close()
    sock = connect("peer")
    check("one of the trunk's with alias is", said(sock, own + ";alias") == 200 and pinged(sock))
    while not trunk.requests.empty():
        trunk.requests.get()
    check("and no other any more", pinged(sock) and pinged(sock) and trunk.requests.qsize() == 2)
    check("the trunk is in", server.show("trunks")[0]["state"] == "in")
    sock.close()
    accepted = trunk.requests.qsize()
    check("until it closes", eventually(5, lambda: trunk.requests.qsize() > accepted))


def main(build):
    server = Server(build)
    server.end(keep=True)
    server.certify("peer", "trunks", "peer.example")
    server.certify("ours", "trunks", "ours.example")
    trunk = Trunk(server)
    peering = server.free_port()
    server.peers = f"""  peering: {{address: '::1', port: {peering}, ca: {server.path('trunks.pem')}}}
  trunks:
    - name: peer
      address: '[::1]:{trunk.port}'
      tls_name: peer.example
      from_domain: sbc.example
      ping_s: 1
      ping_failures: 2
      certificate: {server.path('ours.pem')}
      private_key: {server.path('ours.key')}
"""
    server.write(sip=server.peers)
    server.start()

    def state():
        return server.show("trunks")[0]["state"]

    head, name = trunk.requests.get(timeout=10)
    check("it is pinged, over IPv6", head.startswith("OPTIONS sip:[::1] SIP/2.0"))
    check("it is asked for by its name", trunk.names == ["peer.example"])
    check("it sees the certificate that is for it", name == "ours")
    check("and our name there", "From: <sip:sbc.example>" in head)
    check("it is in", eventually(5, lambda: state() == "in"))
    trunk.status = "503 Service Unavailable"
    check("503 takes it out", eventually(6, lambda: state() == "out"))
    check("with the reason", "503" in server.show("trunks")[0]["targets"][0]["fault"])
    check("not at the first failure", server.count("trunk.ping_failed") >= 2)
    trunk.status = "404 Not Found"
    check("any other answer takes it in", eventually(4, lambda: state() == "in"))
    check("all of that on one connection", trunk.accepted == 1)
    trunk.status = None
    check("silence takes it out", eventually(8, lambda: state() == "out"))
    trunk.status = "200 OK"
    check("an answer takes it in", eventually(6, lambda: state() == "in"))
    trunk.close_all()
    accepted = trunk.accepted
    check("a connection that was closed is made anew", eventually(6, lambda: trunk.accepted > accepted))
    check("and it stays in, or is in again", eventually(4, lambda: state() == "in"))
    check("changes are counted", (server.count("trunk.out"), server.count("trunk.in")) in ((2, 2), (3, 3)))
    check("and logged, once each", server.said().count("is out: ") == server.count("trunk.out"))
    alias(server, trunk, peering)
    resumed(server, trunk)
    server.end()
    sys.exit(1 if failed else 0)


main(sys.argv[1])
