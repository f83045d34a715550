#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The far end of a leg in clear.

rtp_peer.py say LOCAL PORT RELAY RELAY_PORT COUNT   sends RTP, 50 packets a second, and prints as
                                                    JSON what came back: packets, their traffic class
rtp_peer.py echo LOCAL PORT SECONDS                 sends back what comes, until it is ended
rtp_peer.py vlan INTERFACE VLAN ADDRESS PORT SECONDS
                                                    the same, but in frames with that tag, answering
                                                    ARP for its address by itself
"""

import json
import socket
import struct
import sys
import time

IPV6_RECVTCLASS, IPV6_TCLASS = 66, 67
PACKET_AUXDATA = 8
ARP, IPV4, TAG = 0x0806, 0x0800, 0x8100


def open_socket(local, port):
    family = socket.AF_INET6 if ":" in local else socket.AF_INET
    end = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET:
        end.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    else:
        end.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVTCLASS, 1)
    end.bind((local, port))
    return end


def receive(end):
    data, extras, _, sender = end.recvmsg(2048, 256)
    traffic_class = None
    for _, kind, value in extras:
        if kind in (socket.IP_TOS, IPV6_TCLASS):
            traffic_class = value[0]
    return data, traffic_class, sender


def say(local, port, relay, relay_port, count):
    end = open_socket(local, port)
    heard, classes = set(), set()
    begun = time.monotonic()
    for number in range(count + 25):
        if number < count:
            rtp = struct.pack("!BBHII", 0x80, 0, number, number * 160, 0x5a5a5a5a) + b"\xd5" * 160
            end.sendto(rtp, (relay, relay_port))
        until = begun + (number + 1) * 0.02
        while (left := until - time.monotonic()) > 0:
            end.settimeout(left)
            try:
                data, traffic_class, _ = receive(end)
            except TimeoutError:
                break
            if len(data) == 172:
                heard.add(struct.unpack("!H", data[2:4])[0])
                classes.add(traffic_class)
    print(json.dumps({"sent": count, "heard": len(heard), "dscp": sorted(c >> 2 for c in classes)}))


def echo(local, port, seconds):
    end = open_socket(local, port)
    end.settimeout(seconds)
    print("ready", flush=True)
    while True:
        data, _, sender = receive(end)
        end.sendto(data, sender[:2])


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def answer_arp(body, mac, ip):
    fields = struct.unpack("!HHBBH6s4s6s4s", body[:28])
    if fields[4] != 1 or fields[8] != ip:
        return None
    return fields[5], ARP, struct.pack("!HHBBH6s4s6s4s", 1, IPV4, 6, 4, 2, mac, ip, fields[5], fields[6])


def answer_udp(body, ip, port, source):
    header = (body[0] & 15) * 4
    if body[9] != 17 or body[16:20] != ip:
        return None
    sport, dport, length, _ = struct.unpack("!HHHH", body[header:header + 8])
    if dport != port:
        return None
    payload = body[header + 8:header + length]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 0, 0x4000, 64, 17, 0, ip, body[12:16])
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return source, IPV4, head + struct.pack("!HHHH", dport, sport, length, 0) + payload


def vlan(interface, number, address, port, seconds):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    end.bind((interface, 0))
    end.setsockopt(263, PACKET_AUXDATA, 1)
    end.settimeout(seconds)
    mac, ip = end.getsockname()[4], socket.inet_aton(address)
    print("ready", flush=True)
    while True:
        frame, extras, flags, sender = end.recvmsg(2048, 256)
        if sender[2] == socket.PACKET_OUTGOING:
            continue
        kind, = struct.unpack("!H", frame[12:14])
        body, tag = frame[14:], None
        if kind == TAG:
            tag, kind = struct.unpack("!HH", frame[14:18])
            body = frame[18:]
        for _, _, value in extras:  # the kernel may have taken it off
            if tag is None and len(value) >= 20 and struct.unpack("I", value[:4])[0] & 0x10:
                tag = struct.unpack("H", value[16:18])[0]
        if tag is None or tag & 0xfff != number:
            continue
        answer = None
        if kind == ARP:
            answer = answer_arp(body, mac, ip)
        elif kind == IPV4:
            answer = answer_udp(body, ip, port, frame[6:12])
        if answer is not None:
            to, kind, body = answer
            end.send(to + mac + struct.pack("!HHH", TAG, number, kind) + body)


def main():
    mode, arguments = sys.argv[1], sys.argv[2:]
    try:
        if mode == "say":
            say(arguments[0], int(arguments[1]), arguments[2], int(arguments[3]), int(arguments[4]))
        elif mode == "echo":
            echo(arguments[0], int(arguments[1]), float(arguments[2]))
        else:
            vlan(arguments[0], int(arguments[1]), arguments[2], int(arguments[3]), float(arguments[4]))
    except TimeoutError:
        pass


if __name__ == "__main__":
    main()
