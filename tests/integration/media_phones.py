# SPDX-License-Identifier: BSD-3-Clause
"""Calls between two test phones, with the media of each by tests/tools/srtp_phones."""
import base64
import json
import os
import subprocess
import time

from call_phone import key_of, port_of

FIRST_PORT = 30000


def hexed(key):
    return base64.b64decode(key).hex()


def line_of(port, server, relay, mine, theirs, ssrc, sequence):
    return "%d %s %d %s %s %d %d\n" % (port, server, relay, hexed(mine), hexed(theirs), ssrc, sequence)


class Media:
    def __init__(self, tool, lines):
        self.tool = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.tool.stdin.write("".join(lines) + "go\n")
        self.tool.stdin.flush()

    def ask(self, command):
        self.tool.stdin.write(command + "\n")
        self.tool.stdin.flush()
        return json.loads(self.tool.stdout.readline())

    def settled(self, seconds, good):
        """The report, once it is good; or the last one."""
        end = time.monotonic() + seconds
        report = self.ask("report")
        while not good(report) and time.monotonic() < end:
            time.sleep(0.1)
            report = self.ask("report")
        return report

    def close(self):
        self.tool.stdin.close()
        self.tool.wait(10)


def make_call(alice, bob, number, server):
    """The call's dialog, two phones' lines for the tool, and the INVITE that bob got."""
    ports = FIRST_PORT + 4 * number, FIRST_PORT + 4 * number + 2
    keys = [base64.b64encode(os.urandom(30)).decode() for _ in range(2)]
    call = alice.start("bob", alice.sdp(ports[0], key=keys[0]))
    invite = bob.request("INVITE")
    bob.say(invite, 200, "OK", bob.sdp(ports[1], key=keys[1]))
    answer = alice.answered(call)
    bob.request("ACK")
    # a third of them wraps within seconds: ROC 1, on one side, or both
    sequence = [65436 if number % 3 == 0 else 1000 + number, 65456 if number % 6 == 0 else 2000 + number]
    ssrc = [0x10000 + number * 16, 0x20000 + number * 16]
    lines = [line_of(ports[0], server, port_of(answer.body), keys[0], key_of(answer.body), ssrc[0], sequence[0]),
             line_of(ports[1], server, port_of(invite.body), keys[1], key_of(invite.body), ssrc[1], sequence[1])]
    return call, lines, invite
