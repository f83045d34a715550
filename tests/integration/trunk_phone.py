# SPDX-License-Identifier: BSD-3-Clause
"""A trunk for tests, with the dialogs of call_phone.py: it listens, Sallyport connects, and it asks who that is
whenever a test wants."""
import hashlib
import re
import socket
import ssl

from call_phone import CallPhone
from phone import token


class TrunkPhone(CallPhone):
    def __init__(self, address, certificate, key, ca, user="sally", password="mellon"):
        self.user, self.password, self.realm = user, password, "carrier.test"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
        host, port = address.rsplit(":", 1)
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.context, self.listener = context, socket.create_server((host, int(port)), family=family)
        self.listener.settimeout(10)
        self.local = address
        self.contact = "<sip:%s;transport=tls>" % address
        self.input, self.count, self.tags = b"", {}, {}
        self.kept, self.session, self.socket = [], 1, None
        self.nonces = []  # those given out, the newest last

    def accept(self):
        plain, _ = self.listener.accept()
        self.socket = self.context.wrap_socket(plain, server_side=True)
        self.socket.settimeout(10)

    def send(self, start, headers, body=""):
        if self.socket is None:
            self.accept()
        super().send(start, headers, body)

    def take(self, fits):
        if self.socket is None:
            self.accept()
        return super().take(fits)

    def challenge_it(self, request, status=407, extra="", tag=None):
        """Asks who it is, with a new nonce."""
        self.nonces.append(token())
        name = "Proxy-Authenticate" if status == 407 else "WWW-Authenticate"
        self.say(request, status, "Who are you", extra=[
            '%s: Digest realm="%s", nonce="%s", qop="auth", algorithm=SHA-256%s'
            % (name, self.realm, self.nonces[-1], extra)], tag=tag)

    def knows(self, request, status=407, method=None):
        """Does it answer the newest challenge rightly? The count must rise."""
        said = request["Proxy-Authorization" if status == 407 else "Authorization"]
        if said is None:
            return False
        params = {key: quoted or bare for key, quoted, bare in
                  re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', said)}

        def digest(*parts):
            return hashlib.sha256(":".join(parts).encode()).hexdigest()
        first = digest(self.user, self.realm, self.password)
        second = digest(method or request.method, params["uri"])
        nonce, nc = params["nonce"], params["nc"]
        right = digest(first, nonce, nc, params["cnonce"], "auth", second) == params["response"]
        rises = int(nc, 16) > self.count.get(nonce, 0)
        if method is None:
            self.count[nonce] = int(nc, 16)
        return right and nonce == self.nonces[-1] and params["username"] == self.user and (
            method is not None or (rises and params["uri"] == request.start.split()[1]))
