#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What Homer does with HEP version 3, as far as a test needs it: takes the datagrams that come to a port,
checks that each is sound, and writes a line "FROM > TO" and the message for each into a file.

usage: hep_receiver.py ADDRESS PORT FILE; "listening" is printed when it is
"""
import ipaddress
import socket
import struct
import sys


def chunks(datagram):
    name, length = struct.unpack("!4sH", datagram[:6])
    assert name == b"HEP3" and length == len(datagram), datagram[:6]
    found, at = {}, 6
    while at < length:
        vendor, kind, size = struct.unpack("!HHH", datagram[at:at + 6])
        assert vendor == 0 and size >= 6 and at + size <= length, (vendor, kind, size)
        assert kind not in found, kind
        found[kind] = datagram[at + 6:at + size]
        at += size
    return found


def main():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    receiver.bind((sys.argv[1], int(sys.argv[2])))
    print("listening", flush=True)
    with open(sys.argv[3], "wb", buffering=0) as out:
        while True:
            found = chunks(receiver.recv(65536))
            assert found[1] == b"\x02" and found[11] == b"\x01", found
            ends = ["%s:%d" % (ipaddress.ip_address(found[kind]), *struct.unpack("!H", found[kind + 4]))
                    for kind in (3, 4)]
            out.write(("%s > %s\n" % tuple(ends)).encode() + found[15] + b"\n")


main()
