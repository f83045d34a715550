# SPDX-License-Identifier: BSD-3-Clause
"""secrets_look.py PHONE_LOG PHONE_LOG USERS_DB SERVER_KEY WHO FILE...: are secrets in the files? WHO is whose memory that
is: "media" or "sip", who must have theirs (or we could not see them), or "nothing".

The secrets: the phones' logs have all four master keys of a call with AES_CM_128_HMAC_SHA1_80, the session keys are
derived from them (RFC 3711 4.3); the users' hashes; the private key of the server's certificate."""
import base64
import re
import sqlite3
import subprocess
import sys


def keystream(key, counter, size):
    done = subprocess.run(["openssl", "enc", "-aes-128-ctr", "-K", key.hex(), "-iv", counter.hex()], input=bytes(size),
                          stdout=subprocess.PIPE, check=True)
    return done.stdout


def session_keys(key, salt):
    """Of RTP and RTCP: encryption, authentication, salt."""
    for label, size in ((0, 16), (1, 20), (2, 14), (3, 16), (4, 20), (5, 14)):
        counter = bytearray(salt)
        counter[7] ^= label
        yield keystream(key, bytes(counter) + b"\0\0", size)


def text_and_bytes(name, data):
    yield name, data
    yield name + ", in base64", base64.b64encode(data)
    yield name + ", in hex", data.hex().encode()


def media_secrets(logs):
    lines = {found for log in logs for found in re.findall(rb"inline:([A-Za-z0-9+/]{40})", open(log, "rb").read())}
    assert len(lines) >= 4, "the phones' logs have %d keys" % len(lines)
    for number, line in enumerate(sorted(lines)):
        both = base64.b64decode(line)
        yield "line %d" % number, line
        yield from text_and_bytes("master key %d" % number, both[:16])
        yield from text_and_bytes("master salt %d" % number, both[16:])
        for which, derived in zip(("RTP cipher", "RTP authentication", "RTP salt", "RTCP cipher", "RTCP authentication",
                                   "RTCP salt"), session_keys(both[:16], both[16:])):
            yield from text_and_bytes("session key %d, %s" % (number, which), derived)


def user_secrets(database):
    with sqlite3.connect("file:%s?mode=ro" % database, uri=True) as store:
        tables = [name for (name,) in store.execute("select name from sqlite_master where type = 'table'")]
        values = {value for table in tables for row in store.execute("select * from " + table) for value in row}
    hashes = {value if isinstance(value, bytes) else bytes.fromhex(value) for value in values
              if isinstance(value, bytes) or (isinstance(value, str) and re.fullmatch("(?i)[0-9a-f]{32,128}", value))}
    assert hashes, "no hash in " + database
    for number, value in enumerate(sorted(hashes)):
        yield from text_and_bytes("a user's hash %d" % number, value)
    for password in (b"wonderland", b"builder77"):
        yield "password " + password.decode(), password


def server_secret(file):
    text = subprocess.run(["openssl", "ec", "-in", file, "-noout", "-text"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True).stdout.decode()
    number = bytes.fromhex(re.sub(r"[\s:]", "", re.search(r"priv:([\s0-9a-f:]+)", text).group(1)))[-32:]
    yield from text_and_bytes("the private key", number)
    yield "the private key, as OpenSSL's numbers are", number[::-1]


def contents(file):
    """Of a file; of /proc/PID/mem what can be read and written."""
    if not file.endswith("/mem"):
        yield open(file, "rb").read()
        return
    with open(file[:-3] + "maps", encoding="ascii") as maps, open(file, "rb", buffering=0) as memory:
        for first, last in re.findall(r"(?m)^([0-9a-f]+)-([0-9a-f]+) rw", maps.read()):
            try:
                memory.seek(int(first, 16))
                yield memory.read(int(last, 16) - int(first, 16))
            except OSError:  # a device's
                continue


def main():
    logs, database, key, who, files = sys.argv[1:3], sys.argv[3], sys.argv[4], sys.argv[5], sys.argv[6:]
    secrets = list(media_secrets(logs)) + list(user_secrets(database)) + list(server_secret(key))
    found = []
    for file in files:
        for content in contents(file):
            found += [(name, file) for name, secret in secrets if secret in content]
    if who == "nothing":
        for name, file in found[:20]:
            print("%s is in %s" % (name, file))
        return 1 if found or not files else 0
    names = {re.sub(r" \d+", "", name) for name, _ in found}
    print("found: " + "; ".join(sorted(names)))
    wanted = {"media": {"master key", "session key, RTP cipher"}, "sip": {"line", "a user's hash"}}[who]
    return 0 if any(name.split(", in")[0] in wanted for name in names) else 1


sys.exit(main())
