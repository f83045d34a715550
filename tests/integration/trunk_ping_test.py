#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A trunk as it may behave: how it is connected to (by IPv6, name and certificate), pinged, taken out and
in again. Over loopback, without a relay; the trunk is Python's own TLS.

usage: trunk_ping_test.py BUILD_FOLDER
"""
import queue
import re
import socket
import ssl
import sys
import threading

from sip_server import Server, check, eventually, failed


class Trunk:
    """Answers each request with `status`, or with nothing where that is None."""

    def __init__(self, server):
        self.status, self.requests, self.names = "200 OK", queue.Queue(), []
        self.open, self.accepted = [], 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
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

    def close_all(self):
        while self.open:
            self.open.pop().close()


def main(build):
    server = Server(build)
    server.end(keep=True)
    server.certify("peer", "trunks", "peer.example")
    server.certify("ours", "trunks", "ours.example")
    trunk = Trunk(server)
    server.write(sip=f"""  peering: {{address: '::1', port: {server.free_port()}, ca: {server.path('trunks.pem')}}}
  trunks:
    - name: peer
      address: '[::1]:{trunk.port}'
      tls_name: peer.example
      from_domain: sbc.example
      ping_s: 1
      ping_failures: 2
      certificate: {server.path('ours.pem')}
      private_key: {server.path('ours.key')}
""")
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
    server.end()
    sys.exit(1 if failed else 0)


main(sys.argv[1])
