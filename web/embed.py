# SPDX-License-Identifier: BSD-3-Clause
"""embed.py OUT FILE...: a C source with the bytes of each file, for pages.h."""
import os
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

out, files = sys.argv[1], sys.argv[2:]
with open(out, "w", encoding="ascii") as target:
    target.write('#include "web/pages.h"\n\n')
    for number, name in enumerate(files):
        with open(name, "rb") as source:
            data = source.read()
        target.write("static const unsigned char file_%d[] = {" % number)
        target.write(",".join(str(byte) for byte in data) + "};\n")
    target.write("\nconst struct page pages[] = {\n")
    for number, name in enumerate(files):
        base = os.path.basename(name)
        target.write('\t{"/%s", "%s", (const char *)file_%d, sizeof(file_%d)},\n' % (
            base, TYPES[os.path.splitext(base)[1]], number, number))
    target.write("};\nconst size_t pages_count = %d;\n" % len(files))
