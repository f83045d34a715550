#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the lab measured, for people: a table on the terminal, and a page of plots.

usage: report.py [--html OUT] FILE     reads the lab's JSON, prints the table
       report.py merge RUN OUT PART... makes that JSON of the parts of the run with that id

Merging refuses a part that is of another run or of none, and leaves out each figure with lost
packets or without a verified one: then it says so, and ends with 1. Goals are reckoned from FILE
alone, each time.

Exit status: 0 done, 1 something was refused or could not be read or written, 2 wrong use.
"""
import json
import os
import sys
import tempfile
import textwrap

import report_data as lab
import report_page

WIDTH = 100


def clean(text):
    """Safe for a terminal: no control character of a file gets there."""
    return "".join(one if one.isprintable() else "?" for one in str(text))


def ns(value):
    """A time with as many digits as it is worth."""
    if value is None:
        return "-"
    return f"{value:.1f}" if abs(value) < 1000 else f"{value:,.0f}"


def count(value):
    return "-" if value is None else f"{value:,.0f}"


def percent(value):
    return "-" if value is None else f"{100 * value:.0f} %"


def table(head, rows, indent=2):
    """Lines of aligned columns: the first to the left, the others to the right."""
    cells = [[clean(cell) for cell in row] for row in [head] + rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = []
    for row in cells:
        parts = [row[0].ljust(widths[0])] + [
            cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append(" " * indent + "  ".join(parts).rstrip())
    return lines


def prose(text, indent=2):
    return textwrap.wrap(clean(text), WIDTH, initial_indent=" " * indent,
                         subsequent_indent=" " * (indent + 2))


def title(text):
    return ["", text]


# --- the parts of the table ---

def machine_lines(data):
    return prose(lab.machine_words(data), 0) + prose(lab.run_words(data), 0)


def cell(entry, raw):
    """A time, and how many times as fast as ipsec-mb called straight it is."""
    value, other = lab.figure(entry, "ns_per_packet"), lab.figure(raw, "ns_per_packet")
    if value is None:
        return "-"
    return ns(value) + (f" {other / value:5.2f}x" if other else " " * 7)


def crypto_table(head, entries, label):
    """Engines as columns; a row for each point, which label() names."""
    engines = [name for name in lab.ENGINES if lab.pick(entries, engine=name)]
    points = sorted({(one["payload"], one["sessions"], one["burst"]) for one in entries})
    rows = []
    for payload, sessions, burst in points:
        row = [label(payload, sessions, burst)]
        at = lab.pick(entries, payload=payload, sessions=sessions, burst=burst)
        raw = lab.first(at, engine=lab.RAW)
        rows.append(row + [cell(lab.first(at, engine=name), raw) for name in engines])
    return table([head] + engines, rows)


def spread_line(entries):
    spreads = [(lab.figure(one, "spread"), one) for one in entries]
    spreads = [pair for pair in spreads if pair[0] is not None]
    if not spreads:
        return []
    most, entry = max(spreads, key=lambda pair: pair[0])
    return prose(f"largest spread {percent(most)} ({lab.name_of('', entry).strip()})")


def crypto_lines(data):
    full = lab.pick(data["crypto"], burst=lab.BURST)
    lines = title("Crypto alone, bursts of 64: ns a packet, and times as fast as " + lab.RAW)
    for suite in lab.suites(full):
        entries = lab.pick(full, suite=suite)
        lines += ["  " + clean(suite)] + crypto_table(
            "bytes x sessions", entries, lambda payload, sessions, _: f"{payload:4} x {sessions:,}")
    if not full:
        return lines + ["  not measured"]
    return lines + spread_line(full) + engine_line(data)


def engine_line(data):
    engine = lab.section(data, "engine")
    if not engine.get("chosen"):
        return []
    return prose(f"the relay chose {engine['chosen']}: {engine.get('why', 'it does not say why')}")


def burst_lines(data):
    short = [one for one in data["crypto"] if one["burst"] != lab.BURST]
    if not short:
        return []
    lines = title("Crypto alone, shorter bursts: ns a packet, and times as fast as " + lab.RAW)
    for suite in lab.suites(short):
        entries = lab.pick(short, suite=suite)
        lines += ["  " + clean(suite)] + crypto_table(
            "burst, bytes x sessions", entries, lambda payload, sessions, burst:
            f"{burst:2}, {payload} x {sessions:,}")
    return lines + spread_line(short)


def latency(entry, key):
    figures = [lab.figure(entry, key, name) for name in ("p50", "p99", "p999")]
    if figures == [None] * 3:
        return "-"
    return "/".join("-" if one is None else f"{one:.1f}" if one < 100 else f"{one:.0f}"
                    for one in figures)


def datapath_order(one):
    return (one["workers"], one["port"], str(one.get("payload")), one["sessions"])


def payload_of(one):
    payload = one.get("payload")
    return f"{one['sessions']:,} x {payload}" + (" B" if lab.number(payload) else "")


def datapath_lines(data):
    lines = title("Data plane: ns a packet on one core a worker, and of an echo at the same rate and bursts")
    if not data["datapath"]:
        return lines + ["  not measured"] + echo_lines(data)
    rows = []
    for one in sorted(data["datapath"], key=datapath_order):
        rows.append([payload_of(one), one["port"], one["workers"],
                     f"{lab.figure(one, 'mpps') or 0:.2f}", ns(lab.figure(one, "ns_per_packet")),
                     ns(lab.figure(one, "echo_ns_per_packet")),
                     ns(lab.figure(one, "added_ns_per_packet")),
                     percent(lab.figure(one, "spread")), percent(lab.figure(one, "added_spread")),
                     ns(lab.figure(one, "burst")), percent(lab.figure(one, "busy")),
                     percent(lab.figure(one, "core_share"))])
    head = ["sessions x payload", "port", "w", "Mpps", "ns", "echo", "added", "spread", "of added",
            "burst", "busy", "core"]
    return lines + table(head, rows) + skipped_lines(data) + echo_lines(data)


def skipped_lines(data):
    lines = []
    for one in data["skipped"]:
        if lab.number(one.get("workers")) is not None:
            lines += prose(f"{one['workers']} workers: not measured, for {one.get('why', '?')}")
    return lines


def latency_lines(data):
    lines = title("Latency, us, p50/p99/p99.9: the relay's, an echo's at the same rate, and p99 added")
    rows = []
    for one in sorted(data["datapath"], key=datapath_order):
        for load, suffix in (("50 %", ""), ("90 %", "_90")):
            if lab.section(one, f"latency{suffix}_us"):
                rows.append([payload_of(one), one["workers"], load,
                             latency(one, f"latency{suffix}_us"),
                             latency(one, f"echo_latency{suffix}_us"),
                             ns(lab.figure(one, f"added_latency{suffix}_us", "p99"))])
    if not rows:
        return lines + ["  not measured"]
    return lines + table(["sessions x payload", "w", "load", "relay", "echo", "p99 added"], rows)


def echo_lines(data):
    lines = []
    for one in data["echo"]:
        lines += prose(f"echo alone over {one.get('port')}: "
                       f"{ns(lab.figure(one, 'ns_per_packet'))} ns a packet at its highest rate, "
                       f"{lab.figure(one, 'mpps') or 0:.2f} Mpps, in bursts of "
                       f"{ns(lab.figure(one, 'burst'))}; spread {percent(lab.figure(one, 'spread'))}")
    return lines


def stage_lines(data):
    with_stages = [one for one in data["datapath"] if lab.section(one, "stages")]
    lines = title("Stages of the worker: TSC cycles a packet")
    if not with_stages:
        return lines + ["  not measured"]
    # as many as fit; the page has all
    shown = sorted(with_stages, key=lambda one: (
        one["workers"], str(one.get("payload")), one["sessions"]))[:4]
    names = []
    for one in shown:
        names += [name for name in one["stages"] if name not in names]
    head = ["workers, sessions x bytes"] + [
        f"{one['workers']}, {lab.short(one['sessions'])} x {one.get('payload')}" for one in shown]
    rows = [[name] + [ns(lab.figure(one, "stages", name)) for one in shown] for name in names]
    rows.append(["all"] + [ns(sum(lab.figure(one, "stages", name) or 0 for name in names))
                           for one in shown])
    return lines + table(head, rows)


def rtpengine_lines(data):
    peer = lab.section(data, "rtpengine")
    lines = title("rtpengine, relaying between two suites")
    if not peer:
        why = data.get("rtpengine_skipped")
        return lines + prose("not measured" + (f": {why}" if why else ""))
    lines += prose(f"{peer.get('version', '?')}, {count(lab.figure(peer, 'sessions'))} sessions: "
                   f"{ns(lab.figure(peer, 'cpu_ns_per_packet'))} ns of CPU a packet, at most "
                   f"{count(lab.figure(peer, 'max_pps'))} packets/s without loss, latency "
                   f"{latency(peer, 'latency_us')} us")
    if lab.figure(peer, "ratio") is not None:
        lines += prose(f"Sallyport in the same place: "
                       f"{ns(lab.figure(peer, 'sallyport_cpu_ns_per_packet'))} ns, "
                       f"{peer['ratio']:.1f} times less")
    return lines


def session_lines(data):
    made = lab.section(data, "sessions")
    lines = title("Sessions")
    if not made:
        return lines + ["  not measured"]
    return lines + prose(
        f"{count(lab.figure(made, 'install_per_s'))} installed a second, "
        f"{count(lab.figure(made, 'delete_per_s'))} deleted a second, "
        f"{count(lab.figure(made, 'bytes_per_session'))} bytes each "
        f"({count(lab.figure(made, 'installed'))} installed)")


def goal_lines(data):
    lines = title("Goals, all from this run")
    for one in data["goals"]:
        value = "-" if one["value"] is None else f"{one['value']:.2f} {one['unit']}"
        if one.get("spread") is not None:
            value += f" (spread {percent(one['spread'])})"
        lines += prose(f"{lab.verdict(one):12} {one['number']:>2}  {value}; "
                       f"{lab.wanted_words(one)}")
        lines += prose(f"{one['name']}: {one['note']}", 18)
    return lines


def refused_lines(data):
    if not data["refused"]:
        return []
    lines = title("Refused: figures that show nothing")
    for one in data["refused"]:
        lines += prose(one)
    return lines


def render(data):
    parts = (machine_lines, crypto_lines, burst_lines, datapath_lines, latency_lines,
             stage_lines, rtpengine_lines, session_lines, refused_lines, goal_lines)
    return "\n".join(line for part in parts for line in part(data)) + "\n"


# --- the command line ---

def write_whole(path, text):
    """All of it or nothing: a reader never meets half a file."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".lab-")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def merge(run, out, parts):
    merged = lab.merge(run, parts)
    write_whole(out, json.dumps(merged, indent=1) + "\n")
    for sentence in merged["refused"]:
        print("report.py: " + clean(sentence), file=sys.stderr)
    return 1 if merged["refused"] else 0


def report(path, html):
    data = lab.read_merged(path)
    sys.stdout.reconfigure(errors="replace")
    sys.stdout.write(render(data))
    if html is not None:
        write_whole(html, report_page.page(data))
    return 1 if data["refused"] else 0


def misused(why):
    print(f"report.py: {why}: see report.py --help", file=sys.stderr)
    return 2


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    html = None
    try:
        if arguments[:1] == ["merge"]:
            if len(arguments) < 4:
                return misused("merge takes the run's id, a file to write and the parts")
            return merge(arguments[1], arguments[2], arguments[3:])
        if arguments[:1] == ["--html"]:
            if len(arguments) < 2:
                return misused("--html takes the file to write")
            html, arguments = arguments[1], arguments[2:]
        if len(arguments) != 1 or arguments[0].startswith("--"):
            return misused("it takes one file")
        return report(arguments[0], html)
    except lab.Refused as refused:
        print("report.py: " + clean(refused), file=sys.stderr)
    except OSError as error:
        print(f"report.py: {clean(error.filename)} can't be written ({error.strerror}): name a "
              "file in a folder that you may write to", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
