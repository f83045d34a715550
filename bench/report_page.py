# SPDX-License-Identifier: BSD-3-Clause
"""The lab's page: one HTML file with plots, goals and each figure, which needs nothing else."""
import report_data as lab
import report_svg as svg
from report_svg import escape

STYLE = """
:root{color-scheme:light dark;--back:#fff;--ink:#1b1f24;--soft:#57606a;--rule:#d0d7de;
--card:#f6f8fa;--c0:#0072b2;--c1:#c07a00;--c2:#00805c;--c3:#c44e00;--c4:#b5578c;--c5:#3a93cf;
--c6:#8f8600;--c7:#6b6b6b;--k:#fff;--good:#00694b;--bad:#a83f00}
@media(prefers-color-scheme:dark){:root{--back:#0f1318;--ink:#e6e9ed;--soft:#9aa4af;
--rule:#333c46;--card:#171d24;--c0:#4aa8e8;--c1:#e69f00;--c2:#2bbd92;--c3:#f0793a;--c4:#df8fbb;
--c5:#8fd0f5;--c6:#e5da4e;--c7:#a8a8a8;--k:#0f1318;--good:#4fd0a8;--bad:#ff9a62}}
*{box-sizing:border-box}
body{margin:0 auto;padding:12px 7px;max-width:1200px;background:var(--back);color:var(--ink);
font:15px/1.45 system-ui,"Segoe UI","DejaVu Sans",sans-serif;overflow-wrap:break-word}
h1{font-size:22px;margin:4px 0}h2{font-size:18px;margin:26px 0 8px}
h3{font-size:14px;margin:0 0 4px}p{margin:4px 0}.soft{color:var(--soft);font-size:13px}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(346px,100%),1fr));gap:12px}
figure{margin:0;padding:8px 7px;background:var(--card);border:1px solid var(--rule);
border-radius:8px;min-width:0}
svg{display:block;width:100%;max-width:420px;height:auto;margin:0 auto}
svg text{font-size:12px;fill:var(--ink)}
svg .halo{stroke:var(--card);stroke-width:4;paint-order:stroke}
.axis{stroke:var(--soft)}.grid{stroke:var(--rule)}.stem{stroke:var(--soft);stroke-dasharray:1 3}
polyline{fill:none;stroke-width:2}
table{border-collapse:collapse;font-size:13px}.goals{width:100%}
th,td{text-align:right;padding:3px 6px;border-bottom:1px solid var(--rule);vertical-align:top}
th:first-child,td:first-child,.goals td,.goals th{text-align:left}
th{color:var(--soft);font-weight:600}.not{color:var(--soft)}
.met{color:var(--good);font-weight:700}.missed{color:var(--bad);font-weight:700}
.wide{overflow-x:auto;max-width:100%}.wide td{white-space:nowrap}
details{margin-top:6px;font-size:13px}summary{cursor:pointer;color:var(--soft);padding:4px 0}
""" + "".join(f".c{i}{{fill:var(--c{i})}}.l{i}{{stroke:var(--c{i})}}svg .k{i}{{fill:var(--k)}}\n"
              for i in range(8))
COLOUR = {name: i for i, name in enumerate(lab.ENGINES)}
NOT_MEASURED = '<p class="soft">Not measured in this run.</p>'


def say(value):
    """A cell of a table; figures to four digits."""
    if value is None:
        return "–"
    if lab.number(value) is None:
        return escape(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def table(head, rows, kind="wide"):
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{say(cell)}</td>" for cell in row) + "</tr>"
                   for row in rows)
    return f'<div class="{kind}"><table><tr>{cells}</tr>{body}</table></div>'


def figure(title, drawn, head, rows, note=""):
    """A plot with its figures under it."""
    under = f'<p class="soft">{escape(note)}</p>' if note else ""
    return (f"<figure><h3>{escape(title)}</h3>{drawn}{under}<details><summary>figures</summary>"
            f"{table(head, rows)}</details></figure>")


def chapter(title, plots, after=""):
    drawn = "".join(plots)
    grid = f'<div class="plots">{drawn}</div>' if drawn else NOT_MEASURED
    return f"<h2>{escape(title)}</h2>{grid}{after}"


# --- crypto ---

def cost(title, x_key, x_name, entries, log_x):
    """The engines' ns a packet against entry[x_key]. libsrtp2, which would flatten the others, is
    in the table and in the bars."""
    series = []
    for name in lab.ENGINES:
        if name != "libsrtp2":
            points = [(one[x_key], one["ns_per_packet"]) for one in lab.pick(entries, engine=name)]
            if points:
                series.append((name, COLOUR[name], points))
    if not series or (log_x and any(x <= 0 for _, _, points in series for x, _ in points)):
        return ""
    rows = [[one["engine"], one[x_key], one["ns_per_packet"], one.get("spread")]
            for one in sorted(entries, key=lambda one: (one["engine"], one[x_key]))]
    slow = lab.pick(entries, engine="libsrtp2")
    return figure(title, svg.lines(title, "ns a packet", x_name, series, log_x),
                  ["engine", x_name.split(" (")[0], "ns a packet", "spread"], rows,
                  "libsrtp2 is far off this scale: see its figures" if slow else "")


def crypto_plots(data):
    plots = []
    for suite in lab.suites(data["crypto"]):
        of = lab.pick(data["crypto"], suite=suite)
        full = lab.pick(of, burst=lab.BURST)
        usual = lab.pick(of, payload=lab.PAYLOAD, sessions=lab.SESSIONS)
        plots += [
            cost(f"{suite}: cost against sessions ({lab.PAYLOAD} B)", "sessions",
                 "sessions (log scale)", lab.pick(full, payload=lab.PAYLOAD), True),
            cost(f"{suite}: cost against payload ({lab.SESSIONS} sessions)", "payload",
                 "payload, bytes", lab.pick(full, sessions=lab.SESSIONS), False)]
        if len({one["burst"] for one in usual}) > 1:
            plots.append(cost(f"{suite}: cost against burst ({lab.PAYLOAD} B, {lab.SESSIONS} "
                              "sessions)", "burst", "packets at once (log scale)", usual, True))
    return [plot for plot in plots if plot]


def crypto_table(data):
    keys = ("engine", "suite", "payload", "sessions", "burst", "ns_per_packet", "spread",
            "verified", "core_share", "interface")
    head = ("engine", "suite", "payload B", "sessions", "burst", "ns a packet", "spread",
            "packets verified", "share of the core", "interface")
    rows = [[one.get(key) for key in keys] for one in data["crypto"]]
    return f"<details><summary>all figures of crypto</summary>{table(head, rows)}</details>"


# --- data plane ---

def usual_paths(data):
    found = lab.pick(data["datapath"], workers=1, port=lab.port_of(data), payload=lab.PAYLOAD)
    return sorted(found, key=lambda one: one["sessions"])


def cost_plot(data):
    names, stacks, rows = ("echo over the same port", "added by the relay"), [], []
    for one in usual_paths(data):
        echo = lab.figure(one, "echo_ns_per_packet")
        added = lab.figure(one, "added_ns_per_packet")
        if echo is not None and added is not None:
            parts = [(names[0], max(echo, 0)), (names[1], max(added, 0))]
            stacks.append((lab.short(one["sessions"]), parts))
            rows.append([one["sessions"], echo, added, one["ns_per_packet"], one.get("spread")])
    if not stacks:
        return ""
    title = f"Data plane: cost against sessions ({lab.port_of(data)}, {lab.PAYLOAD} B, 1 worker)"
    return figure(title, svg.columns(title, "ns a packet", "sessions", names, stacks),
                  ["sessions", "echo, ns", "added, ns", "all, ns", "spread"], rows,
                  "the echo at the relay's rate, in bursts as large as the relay's")


def stages_of(one):
    found = lab.section(one, "stages")
    return [(name, lab.figure(found, name)) for name in found if (lab.figure(found, name) or 0) > 0]


def stage_plot(data):
    usual = [one for one in usual_paths(data) if stages_of(one)]
    if not usual:
        return ""
    shown = lab.first(usual, sessions=lab.SESSIONS) or usual[0]
    rows = [[name, one["sessions"], one["workers"], one.get("payload"), value]
            for one in data["datapath"] for name, value in stages_of(one)]
    title = f"Stages of the worker ({shown['sessions']:,} sessions, {lab.PAYLOAD} B)"
    return figure(title, svg.pile(title, "TSC cycles a packet", stages_of(shown)),
                  ["stage", "sessions", "workers", "payload", "cycles a packet"], rows)


LATENCIES = (("echo, half load", "echo_latency_us"), ("relay, half load", "latency_us"),
             ("echo, 90 %", "echo_latency_90_us"), ("relay, 90 %", "latency_90_us"))
PERCENTILES = (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"))


def latency_plot(data):
    usual = [one for one in usual_paths(data) if lab.section(one, "latency_us")]
    if not usual:
        return ""
    shown = lab.first(usual, sessions=lab.SESSIONS) or usual[0]
    groups = []
    for name, key in PERCENTILES:
        found = [(which, lab.figure(shown, part, key)) for which, part in LATENCIES]
        found = [(which, value) for which, value in found if (value or 0) > 0]
        if found:
            groups.append((name, found))
    if not groups:
        return ""
    rows = [[which, one["sessions"], one["workers"], one["port"], one.get("payload")] +
            [lab.figure(one, part, key) for _, key in PERCENTILES]
            for one in data["datapath"] for which, part in LATENCIES if lab.section(one, part)]
    title = f"Latency ({shown['sessions']:,} sessions, {lab.PAYLOAD} B, {shown['port']})"
    return figure(title, svg.dots(title, "µs", groups, [name for name, _ in LATENCIES]),
                  ["of", "sessions", "workers", "port", "payload"] +
                  [name + " µs" for name, _ in PERCENTILES], rows)


def datapath_table(data):
    columns = {"sessions": "sessions", "payload": "payload", "port": "port", "workers": "workers",
               "mpps": "Mpps", "ns_per_packet": "ns a packet", "echo_ns_per_packet": "echo ns",
               "added_ns_per_packet": "added ns", "spread": "spread",
               "added_spread": "spread of added", "burst": "burst", "echo_burst": "echo's burst",
               "busy": "busy", "loss": "lost", "verified": "packets verified",
               "core_share": "share of the core"}
    rows = [[one.get(key) for key in columns] for one in data["datapath"]]
    keys = ("port", "mpps", "ns_per_packet", "burst", "spread")
    echo = table(("port", "Mpps", "ns a packet", "burst", "spread"), [
        [one.get(key) for key in keys] for one in data["echo"]])
    head = list(columns.values())
    return (f"<details><summary>all figures of the data plane</summary>{table(head, rows)}"
            f"<h3>Echo alone</h3>{echo}</details>")


# --- peers ---

def bar_plot(title, entries, note):
    entries = [(name, colour, value) for name, colour, value in entries if (value or 0) > 0]
    if len(entries) < 2:
        return ""
    rows = [[name, value] for name, _, value in entries]
    return figure(title, svg.bars(title, "ns", entries), ["what", "ns a packet"], rows, note)


def port_plot(data):
    """What each kind of port costs, and the relay over the one that it was measured over."""
    ports = [(f"echo over {one.get('port')}", 4 if one.get("port") == "memif" else 1,
              lab.figure(one, "ns_per_packet")) for one in data["echo"]]
    ours = [(f"Sallyport over {port} ({lab.SESSIONS} sessions)", 0,
             lab.figure(lab.relayed(data, port=port), "ns_per_packet")) for port in ("memif", "rings")]
    return bar_plot("The port's own cost, ns a packet", ports + ours,
                    "echoes at their highest rate; over rings both ends share their memory")


def peer_plots(data):
    engine = lab.engine_of(data)
    crypto = [("libsrtp2", 7, lab.crypto_ns(data, "libsrtp2")),
              (lab.RAW, COLOUR[lab.RAW], lab.crypto_ns(data, lab.RAW))]
    if engine is not None and engine != lab.RAW:
        crypto.append((f"Sallyport ({engine})", COLOUR.get(engine, 5), lab.crypto_ns(data, engine)))
    here = f"{lab.PAYLOAD} B, {lab.SESSIONS} sessions"
    peer, ours = lab.section(data, "rtpengine"), lab.relayed(data)
    whole = [(f"rtpengine {peer.get('version', '')}, CPU time", 7,
              lab.figure(peer, "cpu_ns_per_packet")),
             ("Sallyport, CPU time in the same test", 2,
              lab.figure(peer, "sallyport_cpu_ns_per_packet")),
             (f"Sallyport, whole time a packet ({lab.SESSIONS} sessions)", 0,
              lab.figure(ours, "ns_per_packet"))]
    plots = [bar_plot(f"Crypto alone ({here}), ns a packet", crypto, ""),
             bar_plot("Whole relay against rtpengine, ns a packet",
                      whole if lab.figure(peer, "cpu_ns_per_packet") else [],
                      "between legs of different suites, so that rtpengine has to transcrypt")]
    return [plot for plot in plots if plot]


def flat(entry, before=""):
    """Rows of name and figure, of an object within an object too."""
    rows = []
    for key, value in entry.items():
        inner = isinstance(value, dict)
        rows += flat(value, f"{before}{key} ") if inner else [[f"{before}{key}", value]]
    return rows


def peer_table(data):
    peer = lab.section(data, "rtpengine")
    if not peer:
        why = data.get("rtpengine_skipped") or "this part did not run"
        return f'<p class="soft">rtpengine was not measured: {escape(why)}</p>'
    return ("<details><summary>all figures of rtpengine</summary>"
            f"{table(('what', 'figure'), flat(peer))}</details>")


# --- the page ---

def named(made):
    """The sessions' figures, by names for people where there is one."""
    names = {"install_per_s": "installed a second", "delete_per_s": "deleted a second",
             "bytes_per_session": "bytes of memory each", "installed": "installed for this"}
    return [[names.get(name, name), value] for name, value in flat(made)]


def goal_table(data):
    kinds = {"met": ("met", "✓ met"), "missed": ("missed", "✗ missed"),
             "not measured": ("not", "– not measured")}
    rows = []
    for one in data["goals"]:
        kind, sign = kinds[lab.verdict(one)]
        value = ""
        if one["value"] is not None:
            value = f"<b>{one['value']:.2f}</b> {escape(one['unit'])}<br>"
        if one.get("spread") is not None:
            value += f'<span class="soft">spread&nbsp;{100 * one["spread"]:.0f}&nbsp;%</span><br>'
        rows.append(f'<tr><td class="{kind}">{sign}</td><td>{one["number"]}. {escape(one["name"])}'
                    f'<br><span class="soft">{escape(one["note"])}</span></td>'
                    f'<td>{value}<span class="soft">{escape(lab.wanted_words(one))}</span>'
                    '</td></tr>')
    return ('<table class="goals"><tr><th>Verdict</th><th>Goal</th><th>Value</th></tr>'
            + "".join(rows) + "</table>")


def refused(data):
    if not data["refused"]:
        return ""
    return ("<h2>Refused: figures that show nothing</h2><ul>"
            + "".join(f"<li>{escape(one)}</li>" for one in data["refused"]) + "</ul>")


def skipped(data):
    return "".join(f'<p class="soft">{escape(one.get("workers", "?"))} workers were not measured: '
                   f'{escape(one.get("why", "it does not say why"))}</p>' for one in data["skipped"])


def engine_words(data):
    engine = lab.section(data, "engine")
    if not engine.get("chosen"):
        return ""
    why = escape(engine.get("why", "it does not say why"))
    return f"<p>The relay chose <b>{escape(engine['chosen'])}</b>: {why}</p>"


def page(data):
    made = lab.section(data, "sessions")
    sessions = table(("what", "figure"), named(made)) if made else NOT_MEASURED
    paths = [plot for plot in (cost_plot(data), stage_plot(data), latency_plot(data), port_plot(data)) if plot]
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline'">
<title>Sallyport: what was measured</title><style>{STYLE}</style></head><body>
<h1>Sallyport: what was measured</h1>
<p>{escape(lab.machine_words(data))}</p>
<p class="soft">{escape(lab.run_words(data))}. Each figure is the median of rounds that took turns;
spread is (largest - least) / median. Times are of this run on this machine: compare their ratios,
not the times of two runs.</p>
<h2>Goals</h2>{goal_table(data)}{refused(data)}
{chapter("Crypto alone", crypto_plots(data), engine_words(data) + crypto_table(data))}
{chapter("Data plane", paths, skipped(data) + datapath_table(data))}
{chapter("Against others", peer_plots(data), peer_table(data))}
<h2>Sessions</h2>{sessions}
</body></html>
"""
