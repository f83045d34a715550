# SPDX-License-Identifier: BSD-3-Clause
"""The messages of RFC 4475 and RFC 5118 from the files beside this one. A message begins after a line
"%% NAME SECTION"; its lines end in CRLF on the wire; <hex> and <repeat> are those of RFC 4475 2.2 and 2.3,
where white space in <hex> means nothing."""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


def expand(text):
    """One message's bytes."""
    def repeated(found):
        return found.group(2) * int(found.group(1))

    text = re.sub(r"<repeat count=(\d+)>(.*?)</repeat>", repeated, text)
    wire = text.replace("\n", "\r\n").encode()
    return re.sub(rb"<hex>([0-9A-F\s]*)</hex>", lambda found: bytes.fromhex(found.group(1).decode()), wire)


def messages(name):
    """[(name, section, bytes)] of a file: "rfc4475" or "rfc5118"."""
    with open(os.path.join(HERE, name + ".txt"), encoding="ascii") as file:
        parts = re.split(r"(?m)^%% (\S+) (\S+)\n", file.read())
    return [(parts[i], parts[i + 1], expand(parts[i + 2])) for i in range(1, len(parts), 3)]
