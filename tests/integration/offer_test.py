# SPDX-License-Identifier: BSD-3-Clause
"""offer_test.py SERVER DOMAIN CA SALLYCTL SOCKET PART: what is offered and answered in a call, and what the relay
makes of it."""
import base64
import json
import os
import re
import socket
import subprocess
import sys
import time

from call_phone import CallPhone, key_of, port_of

server, domain, ca, sallyctl, relay, part = sys.argv[1:7]
PASSWORDS = {"alice": "wonderland", "bob": "builder77"}
S80, S32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
bad = 0


def check(sentence, holds):
    global bad
    print(("ok: " if holds else "NOT OK: ") + sentence)
    bad |= not holds


def eventually(seconds, question):
    deadline = time.monotonic() + seconds
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def phone(user):
    new = CallPhone(user, PASSWORDS[user], server, domain, ca)
    assert new.log_in().status == 200
    return new


def ctl(*what):
    return json.loads(subprocess.run([sallyctl, "--socket", relay, "--json", *what], check=True,
                                     capture_output=True).stdout)


def sessions():
    """All of the relay's, the first stream's first."""
    return [ctl("sessions", one["id"]) for one in sorted(ctl("sessions"), key=lambda one: one["id"])]


def new_key():
    return base64.b64encode(os.urandom(30)).decode()


def line(port, kind="audio", profile="RTP/SAVP", formats="0", suite=S80, key=None, more=""):
    """An m= line; key "": none; `more` stands behind the key."""
    lines = ["m=%s %d %s %s" % (kind, port, profile, formats)]
    if key != "":
        lines.append("a=crypto:1 %s inline:%s%s" % (suite, key or new_key(), more))
    return "\r\n".join(lines) + "\r\n"


def said(user, *lines, address=None):
    host = address or user.local.split(":")[0]
    user.session += 1
    return "".join(["v=0\r\no=- 1 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n" % (user.session, host, host), *lines])


def connect(alice, bob, offer, answer):
    """alice's call, bob's dialog, and what each was told."""
    call = alice.start("bob", offer)
    invite = bob.request("INVITE")
    bob.say(invite, 200, "OK", answer(invite.body) if callable(answer) else answer)
    bob.request("ACK")
    return call, bob.dialog_of(invite), invite.body, alice.answered(call).body


def end(call, bob):
    call.send("BYE")
    bob.say(bob.request("BYE"), 200, "OK")
    check("the call ends", call.phone.response("BYE").status == 200)


def send_srtp(relay_port, key, seconds, own_port=4000):
    """A tone, 50 packets a second, from a phone's port to the relay's."""
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "quiet", "-re", "-f", "lavfi", "-i",
                    "sine=frequency=440:sample_rate=8000:duration=%g" % seconds, "-c:a", "pcm_mulaw", "-f", "rtp",
                    "-srtp_out_suite", S80, "-srtp_out_params", key,
                    "srtp://192.0.2.1:%d?localrtpport=%d&pkt_size=184" % (relay_port, own_port)],
                   check=True, timeout=30, stdout=subprocess.DEVNULL)


def media_ports(body):
    return [int(port) for port in re.findall(r"(?m)^m=\S+ (\d+)", body)]


def downgrade():
    alice, bob = phone("alice"), phone("bob")
    for name, offer in (("RTP/AVP", line(4000, profile="RTP/AVP", key="")),
                        ("RTP/AVP with a=crypto", line(4000, profile="RTP/AVP")),
                        ("RTP/SAVP without a=crypto", line(4000, key="")),
                        ("DTLS-SRTP", line(4000, profile="UDP/TLS/RTP/SAVP", key=""))):
        call = alice.start("bob", said(alice, offer))
        refused = alice.response("INVITE")
        call.ack(refused)
        check("an offer of %s is 488, and nobody rings" % name, refused.status == 488 and bob.nothing(0.2))
    for name, answer in (("RTP/AVP", line(6000, profile="RTP/AVP", key="")),
                         ("no a=crypto", line(6000, key="")),
                         ("another suite", line(6000, suite=S32))):
        call = alice.start("bob", said(alice, line(4000)))
        bob.say(bob.request("INVITE"), 200, "OK", said(bob, answer))
        bob.request("ACK")
        bob.say(bob.request("BYE"), 200, "OK")
        refused = alice.response("INVITE")
        call.ack(refused)
        check("an answer of %s ends the call: 488" % name, refused.status == 488)
    call, _, _, _ = connect(alice, bob, said(alice, line(4000)), said(bob, line(6000)))
    answer = call.ask("INVITE", said(alice, line(4000, profile="RTP/AVP", key="")))
    call.ack(answer)
    check("a re-INVITE down to RTP/AVP is 488, and the call goes on", answer.status == 488 and len(sessions()) == 1)
    end(call, bob)


def streams():
    alice, bob = phone("alice"), phone("bob")
    video = dict(kind="video", profile="RTP/SAVPF", formats="99")
    key = new_key()
    both = lambda user, port: said(user, line(port, key=key if user is alice else None),
                                   line(port + 2, **video) + "a=rtpmap:99 VP8/90000\r\na=rtcp-fb:99 nack pli\r\n")
    call, other, offered, answered = connect(alice, bob, both(alice, 4000), both(bob, 6000))
    check("two streams are offered with a key and a port each", len(set(media_ports(offered))) == 2 and
          len(set(re.findall(r"inline:(\S+)", offered))) == 4)
    check("codecs pass as they are", "a=rtpmap:99 VP8/90000\r\na=rtcp-fb:99 nack pli" in offered and
          "m=video %d RTP/SAVPF 99" % media_ports(answered)[1] in answered)
    two = sessions()
    check("two sessions are at the relay", [s["id"].endswith("/1") for s in two] == [False, True])
    check("each leg has the phone's address", [leg["remote_rtp"].split(":")[1] for s in two for leg in s["legs"]] ==
          ["4000", "6000", "4002", "6002"])
    send_srtp(media_ports(answered)[0], key, 0.5)
    check("packets pass, in the first alone", sessions()[0]["legs"][0]["packets_in"] > 10 and
          sessions()[1]["legs"][0]["packets_in"] == 0)
    call.send("INVITE", said(alice, line(4000, key=key), line(0, key="", **video)))
    asked = bob.request("INVITE")
    check("switched off for one is off for the other", media_ports(asked.body)[1] == 0)
    bob.say(asked, 200, "OK", said(bob, line(6000), line(0, key="", **video)))
    bob.request("ACK")
    check("and in the answer", media_ports(alice.answered(call).body)[1] == 0)
    check("its session is gone, the other one stays", eventually(3, lambda: len(sessions()) == 1) and
          sessions()[0]["id"] == two[0]["id"] and sessions()[0]["legs"][0]["packets_in"] > 10)
    call.send("INVITE", both(alice, 4000))
    bob.say(bob.request("INVITE"), 488, "Not Acceptable Here")
    bob.request("ACK")
    call.ack(alice.response("INVITE"))
    check("one that is refused leaves no session", eventually(3, lambda: len(sessions()) == 1))
    end(call, bob)


def held():
    alice, bob = phone("alice"), phone("bob")
    keys = new_key(), new_key()
    call, _, _, answered = connect(alice, bob, said(alice, line(4000, key=keys[0])), said(bob, line(6000, key=keys[1])))
    send_srtp(port_of(answered), keys[0], 0.5)
    for name, offer, direction in (
            ("a=sendonly", said(alice, line(4000, key=keys[0]) + "a=sendonly\r\n"), "sendonly"),
            ("a=inactive", said(alice, line(4000, key=keys[0]) + "a=inactive\r\n"), "inactive"),
            ("c=0.0.0.0", said(alice, line(4000, key=keys[0]), address="0.0.0.0"), "sendonly")):
        call.send("INVITE", offer)
        asked = bob.request("INVITE")
        check("hold by %s is %s for the other" % (name, direction), "a=%s\r\n" % direction in asked.body)
        bob.say(asked, 200, "OK", said(bob, line(6000, key=keys[1])))
        bob.request("ACK")
        body = alice.answered(call).body
        check("and is not answered with more", "a=recvonly" in body if direction == "sendonly" else "a=inactive" in body)
        check("she lives where she lived", sessions()[0]["legs"][0]["remote_rtp"].endswith(":4000"))
    call.send("INVITE", said(alice, line(4000, key=keys[0])))
    bob.say(bob.request("INVITE"), 200, "OK", said(bob, line(6000, key=keys[1])))
    bob.request("ACK")
    alice.answered(call)
    send_srtp(port_of(answered), keys[0], 0.5)
    leg = sessions()[0]["legs"][0]
    check("resumed with the same key: its packets verify", leg["packets_in"] > 30 and not leg["drops"].get("auth_failed"))
    end(call, bob)


def expiring():
    alice, bob = phone("alice"), phone("bob")
    first, second = new_key(), new_key()
    call, other, _, answered = connect(alice, bob, said(alice, line(4000, key=first, more="|64")),
                                       said(bob, line(6000)))
    send_srtp(port_of(answered), first, 1.2)
    asked = alice.request("INVITE")
    check("a key whose packets come to an end: the phone is asked for another one",
          key_of(asked.body) != key_of(answered) and port_of(asked.body) == port_of(answered))
    alice.say(asked, 200, "OK", said(alice, line(4000, key=second)))
    alice.request("ACK")
    before = sessions()[0]["legs"][0]["packets_in"]
    send_srtp(port_of(answered), second, 0.5)
    leg = sessions()[0]["legs"][0]
    check("packets under it pass", leg["packets_in"] > before + 10)
    check("the other phone has heard nothing", bob.nothing(0.3))
    end(call, bob)


def moved():
    alice, bob = phone("alice"), phone("bob")
    first, second = new_key(), new_key()
    call, _, _, answered = connect(alice, bob, said(alice, line(4000, key=first)), said(bob, line(6000)))
    refused = call.ask("INVITE", said(alice, line(4400, key=first)))
    call.ack(refused)
    check("a new address with the old key is 488", refused.status == 488)
    call.send("INVITE", said(alice, line(4400, key=second)))
    again = alice.answered(call).body
    check("with a new one it is taken, and ours is new, too", key_of(again) != key_of(answered) and
          port_of(again) == port_of(answered))
    check("the other phone is not asked", bob.nothing(0.3))
    send_srtp(port_of(again), second, 0.5, own_port=4400)
    leg = sessions()[0]["legs"][0]
    check("its packets pass", leg["packets_in"] > 10 and leg["remote_rtp"].endswith(":4400"))
    for address in ("192.0.2.1", "198.51.100.1", "127.0.0.1", "224.0.0.1"):
        refused = call.ask("INVITE", said(alice, line(4400, key=new_key()), address=address))
        call.ack(refused)
        check("media to %s is 488" % address, refused.status == 488)
    end(call, bob)


def parameters():
    alice, bob = phone("alice"), phone("bob")
    for more, fine in (("|2^20|7:4", True), (" KDR=0 WSH=128 FEC_ORDER=FEC_SRTP -OTHER", True), (" KDR=3", False),
                       (" UNENCRYPTED_SRTP", False), (" UNENCRYPTED_SRTCP", False), (" UNAUTHENTICATED_SRTP", False),
                       (" FEC_KEY=inline:" + new_key(), False), (" WSH=32", False), (" OTHER", False)):
        call = alice.start("bob", said(alice, line(4000, more=more)))
        if not fine:
            refused = alice.response("INVITE")
            call.ack(refused)
            check("a=crypto with%s alone is 488" % more.split(":")[0], refused.status == 488)
            continue
        bob.say(bob.request("INVITE"), 200, "OK", said(bob, line(6000)))
        bob.request("ACK")
        answer = alice.answered(call).body
        check("a=crypto with %s is taken" % more.strip(), "a=crypto:1 " + S80 in answer)
        if "7:4" in more:
            check("and answered with its MKI", re.search(r"inline:[^|]+\|7:4\r\n", answer))
        end(call, bob)
    call = alice.start("bob", said(alice, line(4000, more=" OTHER") + "a=crypto:2 %s inline:%s\r\n" % (S32, new_key())))
    bob.say(bob.request("INVITE"), 200, "OK", said(bob, line(6000)))
    bob.request("ACK")
    check("of several lines the one that can be used is", "a=crypto:2 " + S32 in alice.answered(call).body)
    end(call, bob)


def opportunistic():
    alice, bob = phone("alice"), phone("bob")
    plain = dict(profile="RTP/AVP", key="")
    call, _, offered, answered = connect(alice, bob, said(alice, line(4000)), said(bob, line(6000, **plain)))
    check("SRTP is offered as RTP/AVP with keys", "RTP/AVP 0\r\n" in offered and "a=crypto:1" in offered)
    check("declined: a leg in clear, and one in SRTP", [leg["transport"] for leg in sessions()[0]["legs"]] == ["srtp", "rtp"])
    check("each phone in its own words", "RTP/SAVP 0\r\n" in answered and "a=crypto:1" in answered)
    end(call, bob)
    call, _, offered, answered = connect(alice, bob, said(alice, line(4000, **plain)),
                                         said(bob, line(6000, profile="RTP/AVP")))
    check("taken: SRTP", [leg["transport"] for leg in sessions()[0]["legs"]] == ["rtp", "srtp"])
    check("and the plain phone is answered plainly", "RTP/AVP 0\r\n" in answered and "a=crypto" not in answered)
    end(call, bob)
    call, _, offered, answered = connect(alice, bob, said(alice, line(4000, **plain)), said(bob, line(6000, **plain)))
    ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    ends[0].bind((alice.local.split(":")[0], 4000))
    ends[1].bind((bob.local.split(":")[0], 6000))
    ends[1].settimeout(5)
    packet = bytes([0x80, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]) + bytes(160)
    ends[0].sendto(packet, ("192.0.2.1", port_of(answered)))
    check("plain RTP passes", ends[1].recv(2048) == packet)
    end(call, bob)


def fax():
    alice, bob = phone("alice"), phone("bob")
    call, other, _, answered = connect(alice, bob, said(alice, line(4000)), said(bob, line(6000, profile="RTP/AVP")))
    image = lambda user, port: said(user, "m=image %d udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n" % port)
    other.send("INVITE", image(bob, 6100))
    asked = alice.request("INVITE")
    check("voice becomes fax", re.search(r"m=image \d+ udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n",
                                         asked.body) and "a=crypto" not in asked.body)
    alice.say(asked, 200, "OK", image(alice, 4100))
    alice.request("ACK")
    answer = bob.answered(other)
    check("on both legs", [leg["transport"] for leg in sessions()[0]["legs"]] == ["udptl", "udptl"])
    call.send("INVITE", said(alice, line(4000)))
    bob.say(bob.request("INVITE"), 200, "OK", said(bob, line(6000, profile="RTP/AVP")))
    bob.request("ACK")
    voice = alice.answered(call).body
    check("and voice again, with a fresh key", key_of(voice) != key_of(answered) and
          [leg["transport"] for leg in sessions()[0]["legs"]] == ["srtp", "srtp"])
    end(call, bob)


{"downgrade": downgrade, "streams": streams, "held": held, "expiring": expiring, "moved": moved,
 "parameters": parameters, "opportunistic": opportunistic, "fax": fax}[part]()
sys.exit(bad)
