#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The tables of settings in docs/config.md, made from what the program says of itself."""
import argparse
import difflib
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLUMNS = ["setting", "meaning", "value", "default", "read by", "changes", "example"]
HEAD = "| " + " | ".join(COLUMNS) + " |"
DESCRIPTION = """Writes the tables of docs/config.md: each setting with its meaning, type, unit,
limits, default, who reads it, and whether it changes by reload or by restart, as
"sallyctl config reference --json" tells it. A table stands in the section that is nearest to its
settings ("### sip.limits"); what is around the tables is left as it is."""


def value(row):
    """'number of seconds, 1 to 86400'"""
    text = row["type"]
    if "choices" in row:
        text = ", ".join(f"`{word}`" for word in row["choices"])
        text = "one of " + text
    if row["type"] == "boolean":
        text = "`true`, `false`"
    if row["unit"]:
        text += " (" + row["unit"] + ")"
    if "limits" in row:
        text += ", {} to {}".format(*row["limits"])
    if row["list"]:
        text = "list, {1} at most".format(*row["entries"]) + ("" if text == "entry" else ", each " + text)
    return text


def reader(row):
    return ", ".join(name.removeprefix("sallyport-") for name in row["read_by"])


def line(row, section):
    name = row["setting"].removeprefix(section)
    name = name.removeprefix("[]").removeprefix(".")
    default = "`" + row["default"] + "`" if row["default"] else row["else"]
    example = "`" + row["example"] + "`" if row["example"] else ""
    cells = ["`" + name + "`", row["meaning"], value(row), default, reader(row), row["changes"], example]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def section_of(name, sections):
    """The longest that the setting is in; a list's own row stands outside of it."""
    plain = name.removesuffix("[]").replace("[]", "")
    return max((s for s in sections if plain.startswith(s + ".")), key=len, default=None)


def make(text, rows):
    """The document with its tables as they should be, and what is wrong with it."""
    sections = re.findall(r"^##+ ([a-z_.]+)", text, re.M)
    where = {}
    for row in rows:
        where.setdefault(section_of(row["setting"], sections), []).append(row)
    wrong = [f"docs/config.md has no section for {row['setting']}" for row in where.pop(None, [])]
    out, section, inside = [], None, False
    for old in text.split("\n"):
        heading = re.match(r"##+ ([a-z_.]+)", old)
        if heading:
            section = heading[1]
        if old.startswith("| setting |"):
            inside = True
            out += [HEAD, "|" + " --- |" * len(COLUMNS)]
            out += [line(row, section) for row in where.pop(section, [])]
        inside = inside and old.startswith("|")
        if not inside:
            out.append(old)
    return "\n".join(out), wrong + [f'docs/config.md, {name}: no table ("{HEAD}")' for name in where]


def main():
    parser = argparse.ArgumentParser(description=DESCRIPTION)
    parser.add_argument("--check", action="store_true", help="writes nothing; status 1 if it would change something")
    parser.add_argument("--sallyctl", default=ROOT / "build/relay/sallyctl", help="the program, of the same tree (default: of build/)")
    parser.add_argument("--document", type=pathlib.Path, default=ROOT / "docs/config.md", help="another file than docs/config.md")
    options = parser.parse_args()
    told = subprocess.run([options.sallyctl, "config", "reference", "--json"], stdout=subprocess.PIPE, check=True)
    old = options.document.read_text()
    new, wrong = make(old, json.loads(told.stdout))
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if options.check and new != old:
        sys.stderr.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), str(options.document), "made anew", n=0))
        print(f"{options.document} is old: run deploy/reference.py", file=sys.stderr)
        wrong.append("old")
    elif new != old:
        options.document.write_text(new)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
