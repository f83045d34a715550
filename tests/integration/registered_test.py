#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Many phones registered at once with a real sallyport-sip, each by a TLS connection of its own: what one costs
in memory, and that all are still there at the end, and after a restart. No root needed, but for more connections
than descriptors are allowed. As a measurement: name a COUNT, and how many SHARE a connection (as those do
that are behind one proxy).

usage: registered_test.py SALLYPORT_SIP SALLYCTL_USER [COUNT [SHARE]]
"""
import hashlib
import os
import resource
import signal
import socket
import sqlite3
import ssl
import sys
import time

import sip_access_test as access
from sip_access_test import DOMAIN, Server, check, quoted

FEW = 300
KIB_MOST = 100  # of one phone's connection and binding
LINES = ("  bindings_max: 1000000\nlog: {level: info}\n")


def name(number):
    return f"phone{number:06}"


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def add_users(server, count):
    """As sallyctl would, in one transaction."""
    with sqlite3.connect(server.path("users.db")) as users:
        users.row_factory = sqlite3.Row
        row = dict(users.execute("SELECT * FROM users WHERE name = 'alice'").fetchone())
        users.executemany(
            f"INSERT INTO users ({', '.join(row)}) VALUES ({', '.join(':' + key for key in row)})",
            (dict(row, name=name(i), ha1_sha256=sha256(f"{name(i)}:{DOMAIN}:pw")) for i in range(count)))
    users.close()


class Line:
    """A connection, and the nonce that is used on it."""

    def __init__(self, server, tls, number):
        self.sock = connect(server, tls, number)
        self.offered, self.count = None, 0


def connect(server, tls, number):
    sock = socket.socket()
    # one address has 28,000 ports to come from
    sock.bind((f"127.0.{1 + number // 200 % 250}.{1 + number % 200}", 0))
    sock.settimeout(20)
    sock.connect(("127.0.0.1", server.port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(sock)


class Caller:
    """One phone: registers, and stays."""

    def __init__(self, line, number):
        self.name, self.line, self.cseq = name(number), line, 0

    def ask(self, more=""):
        self.cseq += 1
        address = f"<sip:{self.name}@{DOMAIN}>"
        self.line.sock.sendall(
            (f"REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK{self.name}"
             f"{self.cseq};rport\r\nMax-Forwards: 70\r\nFrom: {address};tag=1\r\nTo: {address}\r\n"
             f"Call-ID: call-{self.name}\r\nCSeq: {self.cseq} REGISTER\r\nSupported: path, outbound\r\n"
             f"Contact: <sip:{self.name}@192.168.1.20:50611;transport=tls>;reg-id=1;expires=3600"
             f';+sip.instance="<urn:uuid:{self.name}-1000-8000-0123456789ab>"\r\n{more}'
             "Content-Length: 0\r\n\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = self.line.sock.recv(65536)
            if not more:
                raise OSError("closed")
            answer += more
        return answer.decode()

    def register(self):
        if self.line.offered is None:
            self.line.offered = quoted(next(
                line for line in self.ask().split("\r\n") if "algorithm=SHA-256" in line))
        offered = self.line.offered
        self.line.count += 1
        count = f"{self.line.count:08x}"
        second = sha256(f"REGISTER:sip:{DOMAIN}")
        response = sha256(f"{sha256(f'{self.name}:{DOMAIN}:pw')}:{offered['nonce']}:{count}:c0ffee:auth:{second}")
        return self.ask(
            f'Authorization: Digest username="{self.name}", realm="{DOMAIN}", nonce="{offered["nonce"]}", '
            f'uri="sip:{DOMAIN}", response="{response}", algorithm=SHA-256, cnonce="c0ffee", '
            f'opaque="{offered["opaque"]}", qop=auth, nc={count}\r\n').startswith("SIP/2.0 200")


def measure(server, count, share):
    tls = ssl.create_default_context(cafile=server.path("cert.pem"))
    tls.check_hostname = False
    phones = [Caller(Line(server, tls, number), number) for number in range(20)]
    good = sum(phone.register() for phone in phones)  # takes what is needed once
    if count > FEW:
        # the stack remembers a transaction for 32 s: this many may do so in memory that is there
        for number in range(20, count // 2):
            phones.append(Caller(phones[-1].line if number % share else Line(server, tls, number), number))
            good += phones[-1].register()
        time.sleep(40)
    first, before, begun = len(phones), server.memory_kb(), time.monotonic()
    for number in range(first, count):
        phone = Caller(phones[-1].line if number % share else Line(server, tls, number), number)
        good += phone.register()
        phones.append(phone)
    took = time.monotonic() - begun
    each = (server.memory_kb() - before) / (count - first)
    check(f"{count} phones registered, {(count - first) / took:.0f} a second with handshake and challenge, "
          f"by one client, {share} to a connection", good == count)
    check(f"each costs {each:.1f} KiB with its connection", each < KIB_MOST)
    check("the first one's connection is still good", "SIP/2.0 401" in phones[0].ask())
    return phones


def main():
    count = int(sys.argv[3]) if len(sys.argv) > 3 else FEW
    share = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    most = max(resource.getrlimit(resource.RLIMIT_NOFILE)[1], count // share + 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = Server(sys.argv[1], sys.argv[2], LINES, expires_max_s=3600, limits=(
        "connections: 1000000, connections_per_source: 1000000, connects_per_second: 100000, "
        "requests_per_second: 1000000, known_requests_per_second: 1000000"))
    try:
        add_users(server, count)
        phones = measure(server, count, share)
        server.process.send_signal(signal.SIGTERM)
        check("it ends with all of them", server.process.wait(60) == 0)
        del phones
        begun = time.monotonic()
        server.start()
        check(f"and has them all when it is back, in {time.monotonic() - begun:.1f} s",
              f"{count} binding(s) of an earlier life" in server.said())
    finally:
        check("sallyport-sip still lives", server.process.poll() is None)
        if access.failed:
            print(server.said()[-4000:])
        check("and ends when told, with status 0", server.end() == 0)
    return 1 if access.failed else 0


sys.exit(main())
