#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Asks at the listener for trunks with a certificate of one's own, and prints the final status that comes
back, or "refused" where TLS does not even let one ask.

usage: peer_ask.py ADDRESS PORT CA METHOD URI [CERTIFICATE KEY]
"""
import os
import socket
import ssl
import sys


def ask(address, port, authority, method, uri, certificate=None, key=None):
    context = ssl.create_default_context(cafile=authority)
    context.check_hostname = False
    if certificate:
        context.load_cert_chain(certificate, key)
    token = os.urandom(8).hex()
    lines = [f"{method} {uri} SIP/2.0",
             f"Via: SIP/2.0/TLS peer.test;branch=z9hG4bK{token};rport", "Max-Forwards: 70",
             f"From: <sip:peer@peer.test>;tag={token}", f"To: <{uri}>", f"Call-ID: {token}",
             f"CSeq: 1 {method}", "Contact: <sip:peer@peer.test>", "Content-Length: 0", "", ""]
    with socket.create_connection((address, int(port)), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=address) as connection:
            connection.sendall("\r\n".join(lines).encode())
            text = b""
            while True:
                more = connection.recv(65536)
                if not more:
                    return "refused"
                text += more
                for line in text.split(b"\r\n"):
                    if line.startswith(b"SIP/2.0 ") and not line.startswith(b"SIP/2.0 1"):
                        return line.split()[1].decode()


try:
    print(ask(*sys.argv[1:]))
except (ssl.SSLError, ConnectionResetError):
    print("refused")
