#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sets calls up on rtpengine by its ng protocol (bencode over UDP), each leg SRTP of another suite.

Calls that are there already are deleted first.

Prints one line for each direction of each call, which is what udp_load reads:

    FROM PORT RELAY PORT SUITE KEY TO PORT SUITE KEY

The far end at FROM sends to RELAY under the first suite and key (base64 of master key and salt),
and what comes out of the relay arrives at TO under the second ones. All calls' first directions
come first, so that a burst leaves by one socket.
"""
import argparse
import base64
import os
import re
import socket
import sys
import time

SUITES = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")  # of the legs: never the same
TRIES = 10
ANSWER_SECONDS = 1
MASTER_LENGTH = 30  # bytes: key and salt


class NgError(Exception):
    pass


def bencode(value):
    if isinstance(value, bool):
        raise TypeError("bencode has no booleans")
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, (list, tuple)):
        return b"l" + b"".join(bencode(item) for item in value) + b"e"
    if isinstance(value, dict):
        pairs = sorted((key.encode(), item) for key, item in value.items())
        return b"d" + b"".join(bencode(key) + bencode(item) for key, item in pairs) + b"e"
    raise TypeError(f"bencode has no {type(value).__name__}")


def bdecode_at(data, at):
    """The value that begins at `at`, and where the next one begins."""
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in (b"l", b"d"):
        items, at = [], at + 1
        while data[at:at + 1] != b"e":
            item, at = bdecode_at(data, at)
            items.append(item)
        if kind == b"l":
            return items, at + 1
        return dict(zip((key.decode() for key in items[::2]), items[1::2])), at + 1
    colon = data.index(b":", at)
    begin = colon + 1
    end = begin + int(data[at:colon])
    if end > len(data):
        raise ValueError("a string is longer than the datagram")
    return data[begin:end], end


def bdecode(data):
    value, end = bdecode_at(data, 0)
    if end != len(data):
        raise ValueError("something follows the value")
    return value


class Ng:
    """One client of the ng port. A request goes again, under its cookie, until it is answered."""

    def __init__(self, address, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(ANSWER_SECONDS)
        self.socket.connect((address, port))

    def ask(self, command, **fields):
        cookie = os.urandom(8).hex().encode()
        request = cookie + b" " + bencode({"command": command, **fields})
        for _ in range(TRIES):
            answer = self.exchange(cookie, request)
            if answer is None:
                continue
            if answer.get("result") in (b"ok", b"pong"):
                return answer
            reason = answer.get("error-reason", b"no reason given").decode()
            raise NgError(f"rtpengine refuses {command}: {reason}; see its log")
        raise NgError(f"rtpengine does not answer {command} after {TRIES} tries: is it up?")

    def exchange(self, cookie, request):
        """None: nothing came this time."""
        try:
            self.socket.send(request)
            while True:
                begin, _, rest = self.socket.recv(65535).partition(b" ")
                if begin == cookie:
                    return bdecode(rest)
        except TimeoutError:
            return None
        except ConnectionRefusedError:  # it does not listen yet
            time.sleep(ANSWER_SECONDS / 2)
            return None


def sdp_of(address, port, suite, key):
    lines = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0",
             f"m=audio {port} RTP/SAVP 0", "a=rtpmap:0 PCMU/8000",
             f"a=crypto:1 {suite} inline:{key}", "a=sendrecv"]
    return "".join(line + "\r\n" for line in lines)


def read_sdp(sdp, suite):
    """Address, port and tag of the relay's crypto line with this suite, and its key."""
    text = sdp.decode()
    address = re.search(r"^c=IN IP4 (\S+)", text, re.M)
    port = re.search(r"^m=audio (\d+)", text, re.M)
    crypto = re.search(rf"^a=crypto:(\d+) {suite} inline:([^\s|]+)", text, re.M)
    if not (address and port and crypto):
        raise NgError(f"rtpengine's SDP has no address, port or {suite} crypto line:\n{text}")
    return address[1], int(port[1]), crypto[1], crypto[2]


def random_key():
    return base64.b64encode(os.urandom(MASTER_LENGTH)).decode()


def padded(key):
    """RFC 4568 lets the padding be left out."""
    return key + "=" * (-len(key) % 4)


def make_call(ng, number, far):
    """Offer and answer; the two directions, as what is to be printed of them."""
    key = random_key(), random_key()
    call = {"call-id": f"bench-{number}", "from-tag": f"a-{number}", "ICE": "remove",
            "DTLS": "off", "replace": ["origin", "session-connection"]}
    fields = {"transport-protocol": "RTP/SAVP", **call}
    offered = ng.ask("offer", sdp=sdp_of(*far[0], SUITES[0], key[0]), **fields)
    address, port, tag, relay_key = read_sdp(offered["sdp"], SUITES[1])
    relay_b = address, port, padded(relay_key)
    sdp = sdp_of(*far[1], SUITES[1], key[1]).replace("a=crypto:1 ", f"a=crypto:{tag} ")
    answered = ng.ask("answer", sdp=sdp, **fields, **{"to-tag": f"b-{number}"})
    address, port, _, relay_key = read_sdp(answered["sdp"], SUITES[0])
    relay_a = address, port, padded(relay_key)
    if relay_b[2] == key[0] or relay_a[2] == key[1]:
        raise NgError("rtpengine hands a leg's key through: it would re-encrypt nothing")
    return ((*far[0], *relay_a[:2], SUITES[0], key[0], *far[1], SUITES[1], relay_b[2]),
            (*far[1], *relay_b[:2], SUITES[1], key[1], *far[0], SUITES[0], relay_a[2]))


def delete_calls(ng):
    """Those of an earlier run."""
    for call in ng.ask("list", limit=65536)["calls"]:
        ng.ask("delete", **{"call-id": call, "delete-delay": 0})


def read_address(text):
    address, _, port = text.rpartition(":")
    return address, int(port)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ng", type=read_address, required=True, help="ADDRESS:PORT of rtpengine")
    parser.add_argument("--far", type=read_address, nargs=2, help="ADDRESS:PORT of both far ends")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--ping", action="store_true", help="only see whether it answers")
    options = parser.parse_args()
    if not options.ping and options.far is None:
        parser.error("--far is missing")
    ng = Ng(*options.ng)
    if options.ping:
        ng.ask("ping")
        return
    delete_calls(ng)
    calls = [make_call(ng, number, options.far) for number in range(options.calls)]
    for direction in range(2):
        for call in calls:
            print(*call[direction])


if __name__ == "__main__":
    try:
        main()
    except NgError as error:
        sys.exit(f"ng.py: {error}")
