# SPDX-License-Identifier: BSD-3-Clause
"""many_calls.py SERVER DOMAIN CA COUNT: so many calls one after the other, ended in turn by the caller, by
the callee, by CANCEL and by refusal; one in eight with early media."""
import sys

from phone import Phone

server, domain, ca, count = sys.argv[1:5]
alice = Phone("alice", "wonderland", server, domain, ca)
bob = Phone("bob", "builder77", server, domain, ca)
assert alice.log_in().status == 200
assert bob.log_in().status == 200
for number in range(int(count)):
    call = alice.invite("bob")
    ringing = bob.request("INVITE")
    assert "inline:" in ringing.body and "alice@" + alice.local not in str(ringing.headers)
    bob.reply(ringing, 180, "Ringing")
    way = number % 4
    if way == 2:
        headers = alice.headers("CANCEL", call, call["cseq"], call["uri"])
        provisional = alice.receive()
        while provisional.status != 180:
            provisional = alice.receive()
        headers[0] = "Via: " + provisional["Via"]
        alice.send("CANCEL %s SIP/2.0" % call["uri"], headers)
        cancelled = bob.request("CANCEL")
        bob.reply(cancelled, 200, "OK")
        bob.reply(ringing, 487, "Request Terminated")
        final = alice.response("INVITE")
        assert final.status == 487, final.start
        alice.acknowledge(call, final, call["uri"])
        bob.request("ACK")
        continue
    if way == 3:
        bob.reply(ringing, 486, "Busy Here")
        bob.request("ACK")
        final = alice.response("INVITE")
        assert final.status == 486, final.start
        alice.acknowledge(call, final, call["uri"])
        continue
    answer = bob.sdp(5000)
    if number % 8 == 4:
        # early media: the answer comes ahead of time, and again with the 200
        bob.reply(ringing, 183, "Session Progress", answer)
        early = alice.receive()
        while early.status != 183:
            early = alice.receive()
        assert "inline:" in early.body and answer.split("inline:")[1].strip() not in early.body
    bob.reply(ringing, 200, "OK", answer)
    final = alice.response("INVITE")
    assert final.status == 200 and "inline:" in final.body, final.start
    alice.acknowledge(call, final)
    bob.request("ACK")
    if way == 0:
        alice.hang_up(call)
        bye = bob.request("BYE")
        bob.reply(bye, 200, "OK")
        assert alice.response("BYE").status == 200
    else:
        # the callee's dialog, as it saw the INVITE
        target = ringing["Contact"].split("<")[1].split(">")[0]
        bob.send("BYE %s SIP/2.0" % target, [
            "Via: SIP/2.0/TLS %s;branch=z9hG4bK%s" % (bob.local, call["id"]), "Max-Forwards: 70",
            "From: " + bob.to_of(ringing), "To: %s" % ringing["From"],
            "Call-ID: " + ringing["Call-ID"], "CSeq: 1 BYE"])
        assert bob.response("BYE").status == 200
        bye = alice.request("BYE")
        alice.reply(bye, 200, "OK")
print("%s calls" % count)
