# SPDX-License-Identifier: BSD-3-Clause
"""What the SIP lab found, for people."""
from report import count, table


def share(value):
    return f"{value:.0%}"


def maximum_rows(results, what):
    rows = []
    for name, found in results["maximum"].items():
        one = found[what]
        rows.append([name, count(one["per_s"]),
                     f"{count(one['per_s_least'])}-{count(one['per_s_most'])}",
                     f"{one['cpu_ms_sip']:.3f}", f"{one['cpu_ms_media']:.3f}",
                     f"{one['cpu_ms_sip'] + one['cpu_ms_media']:.3f}", share(one["busy_sip"]),
                     share(one["busy_media"]), share(one["busy_generator"])])
    return rows


def maximum_lines(results):
    lines, kinds = [], list(next(iter(results["maximum"].values()))) # of what was searched for
    for what in kinds:
        title = {"register": "Registrations", "caller": "Whole calls"}[what]
        each = "each" if what == "register" else "a call"
        lines += [f"{title}: the most a second, none failed; signalling and media on one core"]
        lines += table(["", "a second", "rounds", f"CPU ms {each}: sip", "media", "both",
                        "busy: sip", "media", "SIPp, stunnel"], maximum_rows(results, what)) + [""]
    names = list(results["maximum"])
    if len(names) == 2:
        for what in kinds:
            title = {"register": "registrations", "caller": "calls"}[what]
            ours, theirs = (results["maximum"][name][what]["per_s"] for name in names)
            lines.append(f"  {title}: {ours / theirs:.2f} times those of {names[1]}"
                         f"{'' if ours >= theirs else ': the goal, as many, is missed'}")
        lines.append("")
    return lines


def users_lines(results):
    rows = []
    for name, one in results["users"].items():
        rows.append([name, count(one["registered"]), count(one["failed"]),
                     count(one["bytes_per_registration"]), count(one["calls"]),
                     count(one["bytes_per_call_sip"]), count(one["bytes_per_call_media"])])
    return ["Held at a time, and what each takes of memory (what was touched before is not counted)",
            *table(["", "registered", "failed", "bytes each", "calls", "bytes a call: sip",
                    "media"], rows), ""]


def soak_lines(results):
    one = results["soak"]
    return [f"At 80 % of the maximum, {one['offered_per_s']:.0f} calls a second, for "
            f"{one['seconds']:.0f} s{' (quick: short)' if results['quick'] else ''}: "
            f"{one['completed']} of {one['calls']} completed, {one['refused']} refused, "
            f"{one['failed']} failed", ""]


def overload_lines(results):
    rows = [[name, count(one["offered_per_s"]), count(one["steady_per_s"]),
             share(one["share_of_maximum"]), count(one["refused"]), count(one["failed"]),
             f"{one['setup_ms']:.0f}", share(one["busy"]["sip"]), share(one["busy"]["generator"])]
            for name, one in results["overload"].items()]
    return ["At three times the maximum (goal: 80 % of the maximum are completed)",
            *table(["", "offered", "completed", "of the maximum", "refused", "failed", "setup ms",
                    "busy: sip", "SIPp, stunnel"], rows), ""]


def render(results):
    one = results["machine"]
    versions = "; ".join(f"{name} {version}" for name, version in results["versions"].items())
    lines = [f"{one['cpu']}, {one['cores']} cores, {one['memory_mb']} MB, Linux {one['kernel']}",
             versions, ""]
    for key, write in (("maximum", maximum_lines), ("users", users_lines), ("soak", soak_lines),
                       ("overload", overload_lines)):
        if key in results:
            lines += write(results)
    return "\n".join(lines).rstrip()
