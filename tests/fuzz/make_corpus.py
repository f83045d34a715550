#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the fuzzers' seeds: make_corpus.py FOLDER [EXAMPLE.yaml]. A folder for each target below it."""

import json
import pathlib
import struct
import sys

ACCESS, CORE = bytes([198, 51, 100, 1]), bytes([203, 0, 113, 1])
FAR = bytes([198, 51, 100, 50])


def ipv4(payload, port, to=ACCESS, flags=0x4000):
    udp = struct.pack("!HHHH", 40000, port, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0xb8, 20 + len(udp), 0, flags, 64, 17, 0, FAR, to)
    total = sum(struct.unpack("!10H", head))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack("!H", 0xffff - total) + head[12:] + udp


def ipv6(payload, port):
    source = bytes.fromhex("20010db8000a00000000000000000050")
    to = bytes.fromhex("20010db8000a00000000000000000001")
    udp = struct.pack("!HHHH", 40000, port, 8 + len(payload), 0x1234) + payload
    return struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + source + to + udp


def ether(kind, body, vlan=None):
    tag = struct.pack("!HH", 0x8100, vlan) if vlan is not None else b""
    return b"\2\0\0\0\0\1\2\0\0\0\0\x99" + tag + struct.pack("!H", kind) + body


def rtp(extension=b"", csrcs=0, padding=0):
    first = 0x80 | csrcs | (0x10 if extension else 0) | (0x20 if padding else 0)
    head = struct.pack("!BBHII", first, 0, 1000, 160, 0x11223344) + b"\xc5" * (4 * csrcs)
    tail = b"\0" * (padding - 1) + bytes([padding]) if padding else b""
    return head + extension + b"\xd5" * 160 + tail


def report(kind, blocks):
    body = struct.pack("!I", 0x11223344)
    if kind == 200:
        body += struct.pack("!IIIII", 0xe0000000, 0, 160, 1, 160)
    body += b"".join(struct.pack("!IIIIII", 0x11223344, 0x05000003, 1000, 80, 0x1234, 99) for _ in range(blocks))
    return struct.pack("!BBH", 0x80 | blocks, kind, len(body) // 4) + body


def frames():
    trailer = b"\xaa" * 10
    for side, select in ((0, 1), (0, 5), (0, 9), (0, 13), (0, 17), (0, 21), (1, 1), (1, 9)):
        head = bytes([side, select])
        yield head + ether(0x0800, ipv4(rtp() + trailer, 20000, CORE if side else ACCESS))
        yield head + ether(0x0800, ipv4(rtp(b"\xbe\xde\0\1\x10\0\0\0", 2, 4) + trailer, 20000, CORE if side else ACCESS))
        yield bytes([side, select | 2]) + ether(0x0800, ipv4(report(200, 1) + b"\x80\0\0\1" + trailer, 20001))
    yield b"\0\0" + ether(0x86dd, ipv6(rtp(), 20000))
    yield b"\2\0" + ether(0x0800, ipv4(rtp(), 20000, bytes([192, 0, 2, 1])), 7)
    yield b"\1\0" + ether(0x0800, ipv4(rtp(), 20000), 9)
    yield b"\0\0" + ether(0x0800, ipv4(rtp(), 20000, flags=0x2000))
    yield b"\0\0" + ether(0x0806, bytes(28))


def reports():
    sdes = struct.pack("!BBHI", 0x81, 202, 3, 0x11223344) + b"\1\4name\0\0"
    yield report(200, 1) + sdes
    yield report(201, 3) + sdes
    yield report(201, 0)
    yield struct.pack("!BBHI", 0x81, 203, 1, 0x11223344)
    yield struct.pack("!BBHII", 0x81, 206, 2, 0x11223344, 5)


def requests():
    """Lengths are the fuzz target's to make right: an odd first byte."""
    leg = b"access".ljust(16, b"\0") + struct.pack("BBHIII", 1, 0, 0, 3, 8000, 0)
    leg += bytes(24) + struct.pack("B3x16sHH", 4, FAR + bytes(12), 40000, 0) + bytes(24)
    key = struct.pack("BBBBIQ", 1, 0, 0, 0, 0, 0) + bytes(range(32)) + bytes(16) + bytes(128)
    other = struct.pack("BBBBIQ", 7, 2, 0, 0, 0, 0) + bytes(range(5, 37)) + bytes(16) + bytes(128)

    def header(op):
        return struct.pack("HHIQII", 4, op - 1, 0, 7, 0, 0)

    name = b"call-1".ljust(48, b"\0")
    create = header(1) + name + struct.pack("II", 0, 0) + leg + key + other + leg.replace(b"access", b"core\0\0") + other + key
    update = header(2) + name + struct.pack("II", 0, 15) + leg + other + key
    yield b"\1" + create
    yield b"\1" + create + update + header(4) + name + header(3) + name
    yield b"\1" + header(5) + bytes(8) + header(6) + header(7)
    yield b"\1" + header(10) + name + bytes(32)
    yield b"\1" + create + header(11) + name + header(12) + bytes(8) + header(3) + name
    yield b"\1" + header(13) + create[24:] + struct.pack("IIIIQQ", 1, 1, 5, 0, 9, 9) + bytes(32) + struct.pack("IIQQII", 1, 3, 70000, 5, 9, 0)
    yield b"\1" + header(14) + struct.pack("II", 1, 0) + create + header(14) + bytes(8) + header(14) + struct.pack("II", 2, 0)
    yield b"\1" + header(15) + bytes(8) + header(15) + struct.pack("II", 1, 0) + header(16) + bytes(8) + header(16) + struct.pack("Q", 40)
    yield b"\0" + struct.pack("HHIQII", 4, 7, 24, 7, 0, 0)


def batches():
    """Eight bytes a packet: length, suites, RTCP, forgery, SSRC, the two indices."""
    for suites in (0x11, 0x12, 0x21, 0x57, 0x70, 0x03):
        yield b"".join(struct.pack("<H6B", 160, suites, 0, 0, i, i, i) for i in range(40))
    yield b"".join(struct.pack("<H6B", 37 * i, 0x11 + i, i % 5 == 0, i % 7 == 0, 1, i, 9) for i in range(64))


KEYS = ("inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
        "inline:N9k4NFkHfI9U3M0wdwfvPcTvLOGRLTx7kjS4fRMRjfSU3P1sEbDPTCHo/m/k4w==",
        "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVzd25ncywgbWFueQ")


def crypto_lines():
    short, long, gcm = KEYS
    for text in ("1 AES_CM_128_HMAC_SHA1_80 " + short, "2 AES_CM_128_HMAC_SHA1_32 " + short + "|2^20|1:4 WSH=1024 KDR=0",
                 "3 AES_256_CM_HMAC_SHA1_80 " + long + "|1000|258:2 UNENCRYPTED_SRTCP -OTHER",
                 "4 AEAD_AES_256_GCM " + gcm + " FEC_ORDER=FEC_SRTP", "5 AES_CM_128_HMAC_SHA1_80 " + short + " FEC_KEY=" + short,
                 "1 AES_CM_128_HMAC_SHA1_80 " + short + "\n2 AES_192_CM_HMAC_SHA1_80 x\n1 F8_128_HMAC_SHA1_80 " + short):
        yield text.encode()


def descriptions():
    """The first byte chooses the policy: SRTP required, preferred, off."""
    head = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nb=AS:500\r\nb=RR:0\r\nt=0 0\r\n"
    crypto = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " + KEYS[0] + "\r\n"
    audio = ("m=audio 5004 RTP/SAVP 96 0 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n"
             "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=rtcp:5005 IN IP4 192.0.2.7\r\na=sendonly\r\n")
    video = ("m=video 5006 RTP/SAVPF 99\r\nc=IN IP6 2001:db8::7\r\nb=TIAS:90000\r\na=rtpmap:99 VP8/90000\r\na=rtcp-mux\r\n"
             "a=rtcp-fb:* nack pli\r\na=extmap:1 urn:ietf:params:rtp-hdrext:toffset\r\na=candidate:1 1 UDP 1 192.0.2.7 5006 typ host\r\n")
    fax = "m=image 5008 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
    held = "m=audio 5004 RTP/SAVP 0\r\nc=IN IP4 0.0.0.0\r\n"
    for policy, text in ((0, audio + crypto + video + crypto), (0, held + crypto + "m=video 0 RTP/SAVP 99\r\n"),
                         (1, audio.replace("SAVP", "AVP") + crypto + fax), (2, audio.replace("SAVP", "AVP") + fax),
                         (0, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + audio + crypto + crypto)):
        yield bytes([policy]) + (head + text).encode()


def digests():
    """Even: a phone's credentials; odd: a trunk's challenge."""
    for algorithm, digits in (("MD5", 32), ("SHA-256", 64), ("SHA-512-256", 64), ("MD5-sess", 32)):
        for qop in ("auth", "auth-int"):
            yield (b'\0Digest username="alice", realm="example.com", nonce="abc", uri="sip:alice@example.com", '
                   b'response="%s", algorithm=%s, cnonce="0a4f113b", opaque="x", qop=%s, nc=00000001'
                   % (b"a" * digits, algorithm.encode(), qop.encode()))
            yield (b'\1Digest realm="a\\"b", nonce="abc\\\\", opaque="x", algorithm=%s, qop="%s,auth-conf", stale=true'
                   % (algorithm.encode(), qop.encode()))
    yield b'\1Digest realm="old", nonce="n"'
    yield b'\0Digest username=alice,realm=r,nonce=n,uri=u,response=0,cnonce=c,nc=1,qop=auth,userhash=true'
    yield b'\0Basic YWxpY2U6c2VjcmV0'


def messages():
    """Whole SIP messages, with headers that pass or tell who it is, and bodies with keys."""
    head = ("INVITE sip:bob@home.example SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1\r\n"
            "From: \"A \\\"x\" <sip:alice@home.example>;tag=1\r\nTo: <sip:bob@home.example>\r\nCall-ID: a@b\r\n"
            "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\n")
    more = ("Subject: one\r\n two\r\nReason: Q.850;cause=16;text=\"a\", SIP;cause=200\r\nAlert-Info: <http://192.0.2.7/a>\r\n",
            "Privacy: id;user;header;critical\r\nP-Asserted-Identity: \"A\" <sip:a@b>, <tel:+49301234567>\r\nX-Any: x\r\n",
            "Date: Thu, 21 Feb 2002 13:02:03 GMT\r\ny: a.b.c;info=<https://c.example/p>;alg=ES256\r\nHistory-Info: <sip:a@b>\r\n",
            "Authorization: Digest username=\"alice\", nonce=\"n\",\r\n response=\"%s\", qop=auth\r\n" % ("a" * 32),
            "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\nAuthentication-Info: rspauth=\"1\"\r\nPrivacy: none\r\n")
    body = ("v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\nk=base64:AAAA\r\nm=audio 5004 RTP/SAVP 0\r\n"
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 %s|2^20|1:4;%s\r\na=crypto:2 X other:AAAA\r\n" % (KEYS[0], KEYS[0]))
    for lines in more:
        for kind in ("application/sdp", "multipart/mixed;boundary=x", "application/sdp\r\nContent-Encoding: gzip"):
            text = head + lines + "Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body)) + body
            yield text.encode()
    yield (head.replace("<sip:alice@home.example>", "<tel:+4930123456>") + "\r\n").encode()
    yield ("SIP/2.0 486 Busy Here\r\n" + head.split("\r\n", 1)[1] + "Reason: Q.850;cause=17\r\n\r\n").encode()


def numbers():
    """URIs of who is called."""
    for text in ("tel:+49-30-1234", "tel:7042;phone-context=+4930", "tel:7042;phone-context=example.com",
                 "tel:863-1234;phone-context=other.example", "sip:+4930123@example.com;user=phone",
                 "sips:030123;phone-context=+49@example.com", "sip:%2B49(30).1@example.com", "sip:alice@example.com",
                 "sip:*21%23@example.com", "sip:1%0030@example.com;user=phone"):
        yield text.encode()


def registers():
    """Header lines of a REGISTER."""
    yield b""
    for text in ("Contact: <sip:a@192.0.2.7:5061;transport=tls>;q=0.7;expires=600\r\nExpires: 3600\r\n",
                 "Contact: <sips:a@192.0.2.7>, \"A\" <sip:b@[2001:db8::7]>;expires=0\r\n", "Contact: *\r\nExpires: 0\r\n",
                 "Supported: path, outbound\r\nPath: <sip:p.example;lr;ob>, <sip:q.example;lr>\r\n"
                 "Contact: <sip:a@192.0.2.7>;reg-id=1;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"\r\n",
                 "Require: outbound\r\nVia: SIP/2.0/TLS 192.0.2.8;branch=z9hG4bK2\r\nPath: <sip:p.example;lr>\r\n"
                 "Contact: <sip:a@192.0.2.7>;reg-id=2147483648;+sip.instance=\"<x>\"\r\n",
                 "Contact: <tel:+49301234>\r\nExpires: 5\r\n", "Contact: <sip:a@b>;expires=59\r\nExpires: 99999999999\r\n"):
        yield text.encode()


def journals():
    line = '{"id":"0123456789abcdef0123456789abcdef","sum":"%s","call":{}}\n' % "44136fa355b3678a"
    yield line.encode()
    yield (line + '{"over":"0123456789abcdef0123456789abcdef"}\n{"id":"b","setup":3}\n{"id":"c","set').encode()
    yield b'{"id":"a\\"\\n","setup":99}\n\n{}\n[]\n{"id":7}\nnothing\n{"id":"a","id":"b"}\n'


def answers():
    """Of a DNS server: length, flags, how many records, the records."""
    def record(kind, data, ttl=60):
        return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data

    def answer(*records):
        body = b"".join(records)
        return bytes([len(body), 4, len(records)]) + body

    def name(text):
        return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"

    naptr = record(35, struct.pack("!HH", 10, 5) + b"\1s\x08SIPS+D2T\0" + name("_sips._tcp.t.example"))
    srv = record(33, struct.pack("!HHH", 10, 60, 5071) + name("one.example"))
    nowhere = record(33, struct.pack("!HHH", 0, 0, 0) + b"\0")
    a, aaaa = record(1, FAR), record(28, bytes.fromhex("20010db8000000000000000000000006"), 0xffffffff)
    yield answer(naptr) + answer(srv, srv) + answer(a) + answer(aaaa) + answer(a) + answer(aaaa)
    yield answer() + answer(nowhere)
    yield answer() + answer(record(33, struct.pack("!HHH", 1, 2, 0) + name("one.example"))) + answer(a) + answer(aaaa)
    yield answer() + answer() + answer(a, a) + answer(aaaa)
    yield answer(record(5, name("other.example")), record(5, b"\xc0\x0c")) + answer(srv[:-4])
    yield bytes([0, 0x83, 0]) * 4


def replies():
    """Of the relay: the first byte odd makes headers right."""
    def header(op, code=0, length=1):
        return struct.pack("HHIQII", 4, op, length, 7, code, 0)

    for op in range(1, 17):
        yield b"\1" + header(op) + struct.pack("QII", 0, 1, 0) + bytes(64)
        yield b"\1" + header(op, 3) + b"no such session".ljust(232, b"\0")
    entry = b"call-1".ljust(48, b"\0") + struct.pack("II", 48 + 8 + 96 + 64 + 32, 0) + bytes(96)
    entry += struct.pack("IIIIQQ", 1, 1, 0, 0, 5, 5) + struct.pack("IIIIQQ", 0, 0, 0, 0, 5, 5) + bytes(32)
    yield b"\0" + header(12, 0, 40 + len(entry)) + struct.pack("QII", 0, 1, 0) + entry


def bindings():
    """A byte that says what is NULL, then eleven texts."""
    row = ["1", "alice", "sip:a@192.0.2.7", "<urn:uuid:1>", "<sip:p.example;lr>", "a@b", "7", "1", "1000", "+600", "192.0.2.7"]
    more = ["2", "alice", "sip:b@192.0.2.7", "", "", "a@c", "-1", "0", "0.5", "+99999", "2001:db8::7"]
    for mask, texts in ((0, row), (0, row[:8] + ["1001"] + row[9:]), (0x18, more), (8, row), (0, row[:9] + ["99999999999"] + row[10:])):
        yield bytes([mask]) + "\0".join(texts).encode() + b"\0"
    yield b"".join(bytes([mask]) + "\0".join(texts).encode() + b"\0" for mask, texts in ((0, row), (0x18, more), (0x18, more)))


def texts():
    """What may stand in a line."""
    yield b"alice"
    yield b"x\r\n2026-01-01T00:00:00.000Z sallyport-sip warning: \x1b[31mred\x7f\xc2\x9b\xe2\x82\xac"
    yield b"a" * 1100 + b"\xc2"


def addresses():
    for text in ("192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "127.0.0.1", "fe80::1", "::1", "255.255.255.255", "1.2.3.256"):
        yield text.encode()


def parameters():
    for text in ("lr\0lr;ob", "transport=\0transport=tls;lrx", "phone-context\0phone-contextual", "lr\0;;lr=on;lr", "a=b\0a=b=c;a=b"):
        yield text.encode()


def boxes():
    """A letter for the file, and what stands in it."""
    for text in ("bisolcpus=domain,1-3 nohz_full=\"1 2\" -- iommu=pt\0c0-1023\0d\0", "aflags\t: avx512f vaes hypervisor\nvendor_id : AMD\0",
                 "h0-15,17\0i0\0j1\0x0x10fb\0w0x15b3\0", "meth0 00000000\0ztext\0y-1\0", "\x7b{\"queues\": 70000, \"rss_udp4\": \"\"}\0",
                 "k0\0l1\0pMax locked memory unlimited\0sx\0", "0-3,5,7-9", "isolcpus=1,2,2-4"):
        yield text.encode()


CALL = "0123456789abcdef0123456789abcdef"


def shown():
    """What sallyport-sip answers to "sallyctl sip" and sallyport-web; the first byte chooses the command."""
    rows = ('{"rows":[{"id":"%s","caller":"al\xe4","callee":"b\\u001b[31m","state":"up","age_s":5,"user":"u","contact":"sip:a@b\\u009b",'
            '"from":"192.0.2.7","reachable":true,"expires_s":60,"trunk":"t","living":1,"fault":null}]%s}\0')
    yield b"\0" + (rows % (CALL, ',"next":100') + rows % (CALL, "")).encode()
    yield b"\2" + (rows % (CALL, ',"next":100') + rows % (CALL, ',"next":100') * 3).encode()
    yield b'\6{"rows":[{"release":"1","calls":2,"late_ms":0.5,"counters":{"tls.failed":{"value":3,"help":"x"}}}]}\0'
    yield b'\1{"error":"there is nothing of this name to show"}\0'


def views():
    stats = '"stats":{"calls":1,"late_ms":1.5,"counters":{"tls.accepted":{"value":3,"help":"x\\"\\\\"},"a\\"b":{"value":7}}}'
    rows = '"calls":[{"id":"%s","legs":[]},{},7],"trunks":[{"trunk":"t\\"","state":"in","calls":3}],"registrations":[1],' % CALL
    for tail in (b"", b"\0" + bytes(range(1, 120)) + CALL.encode() + bytes(500) + b"\x05" * 700):
        yield ("{" + rows + '"certificates":[{"file":"a\\n","days":-1}],"failures":[],' + stats + "}").encode() + tail


def records():
    """The journal, a NUL, the file."""
    leg = '{"user":"a","trunk":null,"call_id":"x","peer":"192.0.2.7","tls":"TLSv1.3","cipher":"c"}'
    record = ('{"id":"%s","start":"2026-01-02T03:04:05.678Z","answer":null,"end":null,"from":"sip:a@b","to":"sip:c@d",'
              '"legs":[%s,%s],"media":[],"transfers":[{"kind":"blind"}]}\n')
    one, other = record % (CALL, leg, leg), record % ("b" * 32, leg, "7")
    yield (one + other + "\0" + other).encode()
    yield (other + '{"over":"%s"}\n' % ("b" * 32) + one[:-9] + "\0" + other + '{"id":"half').encode()
    yield (one.replace('"2026-01-02T03:04:05.678Z"', '"9999-12-31T23:59:60.-9Z"').replace("null", "[1]") + "\0").encode()


def transfers():
    for text in ("<sip:b@home.example?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>", "sip:b@c?replaces=x;to-tag=1;from-tag=2;early-only",
                 "<sip:b@c;method=INVITE?Replaces=x%0d%0aVia:%20y&Subject=z>", "<tel:+49301234>", "<sip:b@c?Replaces=a%00b>"):
        yield text.encode()


def imports():
    """Users, a line each."""
    yield b'{"name":"alice","password":"secret"}\n{"name":"bob","realm":"other.example","ha1":{"MD5":"%s"}}\n' % (b"A" * 32)
    yield b'{"name":"carol","ha1":{"SHA-256":"%s","SHA-512-256":"%s"}}\n\n7\n{"name":"a b","password":"x"}' % (b"0" * 64, b"f" * 64)
    yield b'{"name":"d","ha1":{"MD5":"%s","MD5-sess":"x"}}\n{"name":"d","password":"x","ha1":{}}\n{"name":"alice"}\n' % (b"g" * 32)


def dialogs():
    """Calls as sip.dialogs has them."""
    said = ("INVITE sip:bob@home.example SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:alice@home.example>;tag=1\r\n"
            "To: <sip:bob@home.example>\r\nCall-ID: a@b\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@192.0.2.7>\r\n\r\n")
    sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n"
    leg = {"transport": 1, "profile": 3, "mux": True, "flags": 2, "clock": 8000, "tag": 1, "rtp": ["192.0.2.7", 5004],
           "rtcp": ["192.0.2.7", 5005], "latched": None}

    def side(name, trunk, said):
        dialog = {"tag": "abc", "seq": 3, "rseq": 7, "route": ["<sip:p.example;lr>"], "target": "<sip:a@192.0.2.7>", "contact": "<sip:us@192.0.2.2>",
                  "next_hop": "sip:192.0.2.7:5061;transport=tls", "peering": trunk, "update": True, "instance": "<urn:x>", "registered": "sip:a@b"}
        return {"name": name, "trunk": trunk, "peer": "192.0.2.7", "interval": 1800, "we_refresh": True, "refreshed": 1, "least": 90, "keys": 1,
                "expiring": False, "said": said, "dialog": dialog}

    answer = said.replace("INVITE sip:bob@home.example SIP/2.0", "SIP/2.0 200 OK").replace("bob@home.example>\r\n", "bob@home.example>;tag=2\r\n")
    call = {"caller": "alice", "callee": "bob", "started": 1, "answered": 2, "open": False, "sides": [side("alice", False, said), side("carrier", True, answer)],
            "sdp": {"session": 7, "version": [1, 2], "said": [sdp, sdp], "streams": [{"in_relay": True, "leg": [leg, leg]}]}}
    yield json.dumps(call, separators=(",", ":")).encode()
    call["sides"][0]["dialog"].update(seq=0, route=[], instance=None, next_hop=None)
    call["open"] = True
    yield json.dumps(call, separators=(",", ":")).encode()


def questions():
    """To sallyport-sip's control socket."""
    for what in ("stats", "calls", "failures", "registrations", "trunks", "certificates", "trace", "drain", "config", "nothing"):
        yield ('{"show":"%s","from":0}' % what).encode()
    for text in ('{"show":"config","from":20}', '{"show":"config","from":-1}', '{"show":"drain","on":true,"from":0}', '{"reload":false}',
                 '{"reload":true,"show":7}', '{"show":"trace","on":true,"from":99999999999}', "[]", '{"show":"calls","show":"x"}'):
        yield text.encode()


def main():
    folder = pathlib.Path(sys.argv[1])
    seeds = {"frame": list(frames()), "rtcp": list(reports()), "api": list(requests()), "config": [],
             "engines": list(batches()), "sdes": list(crypto_lines()), "sdp": list(descriptions()),
             "digest": list(digests()), "number": list(numbers()), "headers": list(messages()), "trace": list(messages()),
             "register": list(registers()), "journal": list(journals()), "resolve": list(answers()), "reply": list(replies()),
             "bindings": list(bindings()), "log": list(texts()), "address": list(addresses()), "param": list(parameters()),
             "tune": list(boxes()), "shown": list(shown()), "view": list(views()), "records": list(records()),
             "refer": list(transfers()), "dialogs": list(dialogs()), "control": list(questions()), "import": list(imports())}
    for file in sys.argv[2:]:
        seeds["config"].append(pathlib.Path(file).read_bytes())
    for target, inputs in seeds.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(inputs):
            (folder / target / f"seed-{number}").write_bytes(data)


if __name__ == "__main__":
    main()
