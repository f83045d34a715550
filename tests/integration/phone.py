# SPDX-License-Identifier: BSD-3-Clause
"""A SIP phone for tests, on Python's own TLS and hashes: it says just what a test wants, right or wrong,
and shares no code with Sallyport. One thread: each step sends, or waits for what must come."""
import base64
import hashlib
import os
import re
import socket
import ssl

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def token(size=6):
    return os.urandom(size).hex()


class Message:
    def __init__(self, head, body):
        lines = head.split("\r\n")
        self.start, self.body = lines[0], body
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        self.is_response = self.start.startswith("SIP/2.0 ")
        self.status = int(self.start.split()[1]) if self.is_response else None
        self.method = self["CSeq"].split()[1]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def __getitem__(self, name):
        return (self.all(name) or [None])[0]


class Phone:
    def __init__(self, user, password, server, domain, ca, algorithm="MD5"):
        self.user, self.password, self.domain, self.algorithm = user, password, domain, algorithm
        context = ssl.create_default_context(cafile=ca)
        plain = socket.create_connection((server, 5061), timeout=10)
        self.socket = context.wrap_socket(plain, server_hostname=server)
        self.socket.settimeout(10)
        self.local = "%s:%d" % self.socket.getsockname()
        self.address = "sip:%s@%s" % (user, domain)
        self.contact = "<sip:%s@%s;transport=tls>" % (user, self.local)
        self.input = b""
        self.count = {}
        self.tags = {}

    def close(self):
        self.socket.close()

    # -- messages

    def send(self, start, headers, body=""):
        lines = [start] + headers + ["Content-Length: %d" % len(body), "", body]
        self.socket.sendall("\r\n".join(lines).encode())

    def receive(self):
        while True:
            self.input = self.input.lstrip(b"\r\n")
            head, mark, rest = self.input.partition(b"\r\n\r\n")
            size = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head) if mark else None
            if mark and len(rest) >= (int(size.group(1)) if size else 0):
                length = int(size.group(1)) if size else 0
                self.input = rest[length:]
                return Message(head.decode(), rest[:length].decode())
            more = self.socket.recv(65536)
            if not more:
                raise EOFError("%s: the server closed the connection" % self.user)
            self.input += more

    def response(self, method):
        """The final response to our request."""
        while True:
            message = self.receive()
            if message.is_response and message.method == method and message.status >= 200:
                return message

    def request(self, method):
        """The next request, which must be this one."""
        while True:
            message = self.receive()
            if not message.is_response:
                assert message.method == method, "%s instead of %s" % (message.start, method)
                return message

    # -- digest, RFC 7616

    def challenges(self, message):
        """Of a 401, or a 407; "header" is what its answer stands in."""
        found = []
        asked, header = {407: ("Proxy-Authenticate", "Proxy-Authorization")}.get(
            message.status, ("WWW-Authenticate", "Authorization"))
        for text in message.all(asked):
            found.append({key: quoted or bare for key, quoted, bare in
                          re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', text)})
            found[-1]["header"] = header
        return found

    def challenge(self):
        """A fresh one, of our algorithm."""
        return [one for one in self.challenges(self.register()) if one["algorithm"] == self.algorithm][0]

    def credentials(self, message, method, uri, **other):
        challenge = [one for one in self.challenges(message) if one["algorithm"] == self.algorithm][0]
        challenge.update(other)
        return self.answer(challenge, method, uri, other.get("nc", None))

    def answer(self, challenge, method, uri, count=None, body=None):
        """With a body, qop is auth-int."""
        def digest(text):
            return hashlib.new(HASHES[self.algorithm], text.encode()).hexdigest()

        nonce, cnonce = challenge["nonce"], token()
        if count is None:
            count = self.count[nonce] = self.count.get(nonce, 0) + 1
        nc = "%08x" % count
        first = digest("%s:%s:%s" % (self.user, challenge["realm"], self.password))
        qop = "auth" if body is None else "auth-int"
        second = digest(":".join([method, uri] if body is None else [method, uri, digest(body)]))
        value = digest(":".join([first, nonce, nc, cnonce, qop, second]))
        return ('%s: Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", '
                'algorithm=%s, cnonce="%s", qop=%s, nc=%s, opaque="%s"'
                % (challenge["header"], self.user, challenge["realm"], nonce, uri, value, self.algorithm, cnonce, qop, nc,
                   challenge["opaque"]))

    # -- requests outside of a dialog

    def headers(self, method, call, cseq, to, to_tag="", sender=None):
        return ["Via: SIP/2.0/TLS %s;branch=z9hG4bK%s;rport" % (self.local, token()),
                "Max-Forwards: 70",
                "From: <%s>;tag=%s" % (sender or self.address, call["tag"]),
                "To: <%s>%s" % (to, ";tag=" + to_tag if to_tag else ""),
                "Call-ID: %s" % call["id"],
                "CSeq: %d %s" % (cseq, method),
                "Contact: %s" % self.contact]

    def new_call(self):
        return {"id": token(), "tag": token(4), "cseq": 0}

    def register(self, extra=(), sender=None, call=None, body=""):
        """One REGISTER without waiting for more than its response."""
        call = call or self.new_call()
        call["cseq"] += 1
        uri = "sip:" + self.domain
        self.send("REGISTER %s SIP/2.0" % uri,
                  self.headers("REGISTER", call, call["cseq"], sender or self.address, sender=sender)
                  + list(extra), body)
        return self.response("REGISTER")

    def log_in(self):
        call = self.new_call()
        first = self.register(call=call)
        assert first.status == 401, first.start
        return self.register([self.credentials(first, "REGISTER", "sip:" + self.domain)], call=call)

    # -- calls

    def sdp(self, port=4000):
        key = base64.b64encode(os.urandom(30)).decode()
        host = self.local.split(":")[0]
        return "\r\n".join(["v=0", "o=- 1 1 IN IP4 " + host, "s=-", "c=IN IP4 " + host, "t=0 0",
                            "m=audio %d RTP/SAVP 0" % port, "a=rtpmap:0 PCMU/8000",
                            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key, ""])

    def invite(self, callee):
        """Sends an INVITE with digest; returns the call, whose response is still to come."""
        call = self.new_call()
        uri = "sip:%s@%s" % (callee, self.domain)
        body, kind = self.sdp(), ["Content-Type: application/sdp"]
        self.send("INVITE %s SIP/2.0" % uri, self.headers("INVITE", call, 1, uri) + kind, body)
        first = self.response("INVITE")
        assert first.status == 401, first.start
        call["uri"] = uri
        self.acknowledge(call, first, uri)
        self.send("INVITE %s SIP/2.0" % uri, self.headers("INVITE", call, 2, uri) + kind
                  + [self.credentials(first, "INVITE", uri)], body)
        call["cseq"] = 2
        return call

    def acknowledge(self, call, response, uri=None):
        to_tag = re.search(r"tag=([^;\s]+)", response["To"])
        call["to_tag"] = to_tag.group(1) if to_tag else ""
        if response.status < 300:
            call["target"] = re.search(r"<([^>]+)>", response["Contact"]).group(1)
        headers = self.headers("ACK", call, int(response["CSeq"].split()[0]), call["uri"], call["to_tag"])
        if response.status >= 300:  # of the INVITE's own transaction
            headers[0] = "Via: " + response["Via"]
        self.send("ACK %s SIP/2.0" % (uri or call["target"]), headers)

    def hang_up(self, call):
        call["cseq"] += 1
        self.send("BYE %s SIP/2.0" % call["target"],
                  self.headers("BYE", call, call["cseq"], call["uri"], call["to_tag"]))

    def to_of(self, request):
        """The To header of our responses: the same tag for all of one call."""
        to, call = request["To"], request["Call-ID"]
        if "tag=" in to:
            return to
        if call not in self.tags:
            self.tags[call] = token(4)
        return to + ";tag=" + self.tags[call]

    def reply(self, request, status, phrase, body=""):
        headers = [key + ": " + value for key, value in request.headers
                   if key.lower() in ("via", "from", "call-id", "cseq", "record-route")]
        headers.append("To: " + self.to_of(request))
        headers.append("Contact: " + self.contact)
        if body:
            headers.append("Content-Type: application/sdp")
        self.send("SIP/2.0 %d %s" % (status, phrase), headers, body)
