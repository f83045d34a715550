#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""One end of a conversation with a host: used by the integration tests in their namespaces.

wire.py serve ADDRESS PORT           takes one TCP connection, says "ready", exchanges BYTES
wire.py exchange ADDRESS PORT        connects to it and exchanges BYTES
wire.py refused ADDRESS PORT         UDP: succeeds if the host says that the port is closed
wire.py silent ADDRESS PORT          UDP: succeeds if the host says nothing
"""

import socket
import sys
import threading

BYTES = 20_000_000
PATTERN = bytes(range(251)) * (BYTES // 251 + 1)
SECONDS = 30


def exchange(connection):
    """Sends BYTES and receives as many at the same time; true if they came as they were sent."""
    connection.settimeout(SECONDS)
    sender = threading.Thread(target=connection.sendall, args=(PATTERN[:BYTES],), daemon=True)
    sender.start()
    received = bytearray()
    while len(received) < BYTES:
        part = connection.recv(1 << 16)
        if not part:
            break
        received += part
    sender.join(SECONDS)
    return bytes(received) == PATTERN[:BYTES]


def serve(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
        listener.settimeout(SECONDS)
        print("ready", flush=True)
        connection, _ = listener.accept()
        return exchange(connection)


def ask(family, address, seconds):
    """True if the kernel over there answers that the UDP port is closed."""
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.settimeout(seconds)
        udp.connect(address)
        udp.send(b"?")
        try:
            udp.recv(1500)
        except ConnectionRefusedError:
            return True
        except socket.timeout:
            return False
        return False


def main():
    verb, host, port = sys.argv[1:4]
    family, _, _, _, address = socket.getaddrinfo(host, int(port))[0]
    if verb == "serve":
        good = serve(family, address)
    elif verb == "exchange":
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(SECONDS)
            connection.connect(address)
            good = exchange(connection)
    elif verb == "refused":
        good = ask(family, address, 5)
    else:
        good = not ask(family, address, 0.5)
    sys.exit(0 if good else 1)


main()
