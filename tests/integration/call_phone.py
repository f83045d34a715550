# SPDX-License-Identifier: BSD-3-Clause
"""A test phone (phone.py) with dialogs: calls and is called, offers and answers at any time, and says of each
step just what a test wants."""
import base64
import os
import re

from phone import Phone, token


def key_of(body):
    return re.search(r"inline:([^|\s]+)", body).group(1)


def port_of(body):
    return int(re.search(r"(?m)^m=audio (\d+)", body).group(1))


def direction_of(body):
    found = re.search(r"(?m)^a=(sendrecv|sendonly|recvonly|inactive)", body)
    return found.group(1) if found else "sendrecv"


def tag_of(header):
    found = re.search(r";tag=([^;\s]+)", header)
    return found.group(1) if found else ""


def uri_of(header):
    found = re.search(r"<([^>]+)>", header)
    return found.group(1) if found else header.split(";")[0]


class Dialog:
    """One dialog, as its phone sees it, whoever called."""

    def __init__(self, phone, call_id, local, remote, target, cseq):
        self.phone, self.id, self.local, self.remote = phone, call_id, local, remote
        self.target, self.cseq, self.invited = target, cseq, None

    def headers(self, method, cseq=None, extra=()):
        via = "SIP/2.0/TLS %s;branch=z9hG4bK%s;rport" % (self.phone.local, token())
        if method == "INVITE":
            self.invited = via, self.cseq
        return ["Via: " + via, "Max-Forwards: 70", "From: " + self.local, "To: " + self.remote,
                "Call-ID: " + self.id, "CSeq: %d %s" % (cseq or self.cseq, method),
                "Contact: " + self.phone.contact] + list(extra)

    def send(self, method, body="", extra=(), kind="application/sdp"):
        self.cseq += 1
        extra = list(extra) + (["Content-Type: " + kind] if body else [])
        self.phone.send("%s %s SIP/2.0" % (method, self.target), self.headers(method, extra=extra), body)

    def ask(self, method, body="", extra=(), kind="application/sdp"):
        self.send(method, body, extra, kind)
        return self.phone.response(method)

    def ack(self, response, body=""):
        cseq = int(response["CSeq"].split()[0])
        extra = ["Content-Type: application/sdp"] if body else []
        headers = self.headers("ACK", cseq, extra)
        if response.status >= 300:
            headers[0] = "Via: " + response["Via"]
        self.phone.send("ACK %s SIP/2.0" % self.target, headers, body)

    def cancel(self):
        """Of the last INVITE."""
        via, cseq = self.invited
        headers = ["Via: " + via] + self.headers("CANCEL", cseq)[1:]
        self.phone.send("CANCEL %s SIP/2.0" % self.target, headers)

    def prack(self, response, body=""):
        number = "RAck: %s %s" % (response["RSeq"], response["CSeq"])
        self.remote = response["To"]
        self.target = uri_of(response["Contact"])
        return self.ask("PRACK", body, [number])

    def hang_up(self):
        return self.ask("BYE")


class CallPhone(Phone):
    """Methods wait for the next message that fits, and keep what comes meanwhile for later."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.kept = []
        self.session = 1

    def take(self, fits):
        for message in self.kept:
            if fits(message):
                self.kept.remove(message)
                return message
        while True:
            message = super().receive()
            if fits(message):
                return message
            self.kept.append(message)

    def receive(self):
        return self.take(lambda message: True)

    def response(self, method, status=None):
        """The next final response to such a request, or the next with that status."""
        return self.take(lambda m: m.is_response and m.method == method and
                         (m.status >= 200 if status is None else m.status == status))

    def request(self, method):
        return self.take(lambda m: not m.is_response and m.method == method)

    def nothing(self, seconds=0.5):
        """Does nothing come for a while? For what must not come."""
        self.socket.settimeout(seconds)
        try:
            self.kept.append(super().receive())
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(10)

    # -- session descriptions

    def sdp(self, port=4000, direction="sendrecv", codecs=("0 PCMU/8000",), key=None, tag=1):
        key = key or base64.b64encode(os.urandom(30)).decode()
        host = self.local.split(":")[0]
        self.session += 1
        lines = ["v=0", "o=- 1 %d IN IP4 %s" % (self.session, host), "s=-", "c=IN IP4 " + host, "t=0 0",
                 "m=audio %d RTP/SAVP %s" % (port, " ".join(codec.split()[0] for codec in codecs))]
        lines += ["a=rtpmap:" + codec for codec in codecs]
        lines += ["a=crypto:%d AES_CM_128_HMAC_SHA1_80 inline:%s" % (tag, key), "a=" + direction, ""]
        return "\r\n".join(lines)

    # -- calls

    def start(self, callee, body=None, extra=(), scheme="sip"):
        """INVITE with digest; the dialog, whose response is still to come. body "": without an offer."""
        uri = "%s:%s@%s" % (scheme, callee, self.domain)
        call = Dialog(self, token(), "<%s>;tag=%s" % (self.address, token(4)), "<%s>" % uri, uri, 0)
        call.uri = uri
        body = self.sdp() if body is None else body
        call.send("INVITE", body, extra)
        first = self.response("INVITE")
        assert first.status in (401, 407), first.start
        call.ack(first)
        call.send("INVITE", body, list(extra) + [self.credentials(first, "INVITE", uri)])
        return call

    def answered(self, call, body=""):
        """Waits for the 2xx, acknowledges it; returns it."""
        response = self.response("INVITE")
        assert 200 <= response.status < 300, response.start
        call.remote, call.target = response["To"], uri_of(response["Contact"])
        call.ack(response, body)
        return response

    def dialog_of(self, invite):
        """The dialog that an INVITE for us makes, once we have answered."""
        return Dialog(self, invite["Call-ID"], self.to_of(invite), invite["From"], uri_of(invite["Contact"]),
                      100)

    def say(self, request, status, phrase="-", body="", extra=(), tag=None):
        """A response, with other headers than reply() has; tag: another one than is this phone's."""
        to = request["To"] + ";tag=" + tag if tag else self.to_of(request)
        headers = [key + ": " + value for key, value in request.headers
                   if key.lower() in ("via", "from", "call-id", "cseq", "record-route")]
        headers += ["To: " + to, "Contact: " + self.contact] + list(extra)
        if body:
            headers.append("Content-Type: application/sdp")
        self.send("SIP/2.0 %d %s" % (status, phrase), headers, body)
