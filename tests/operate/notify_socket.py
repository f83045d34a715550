#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A service manager's ear: what comes to the socket goes to the log, a line each.

usage: notify_socket.py SOCKET LOG"""
import os
import socket
import sys

ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
while True:
    words = ear.recv(4096).decode()
    with open(sys.argv[2], "a") as log:
        log.write(words.rstrip("\n") + "\n")
