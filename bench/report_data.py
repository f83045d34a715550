# SPDX-License-Identifier: BSD-3-Clause
"""The lab's figures: reading them, refusing those that show nothing, merging the parts of one run,
and the goals, which are reckoned from one merged file alone."""
import json
import math

SCHEMA = 1
CM = "AES_CM_128_HMAC_SHA1_80"
RAW = "raw-ipsec-mb"
FUSED = ("avx512", "avx2")
# in the order in which people compare them
ENGINES = (RAW, "ipsec-mb", "avx2", "avx512", "libsrtp2")
BURST = 64
# the point that most goals look at
PAYLOAD = 160
SESSIONS = 64
SESSIONS_MANY = 100000
# what each part may bring; anything else of it is about the part itself, and stays behind
FIGURES = ("machine", "engine", "crypto", "echo", "datapath", "sessions", "rtpengine",
           "rtpengine_skipped", "skipped")
HEAD = ("schema", "release", "commit", "begun", "seconds", "quick")
LISTS = ("crypto", "echo", "datapath", "skipped")


class Refused(Exception):
    """Says what is wrong with a file, and what to do."""


# --- reading ---

def not_a_number(text):
    raise ValueError(f"{text} is not a figure")


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file, parse_constant=not_a_number)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}: name a file that the lab wrote") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path} is not JSON ({error}): run that part again") from error
    if not isinstance(data, dict):
        raise Refused(f"{path} holds no JSON object: run that part again")
    for key in LISTS:
        if not isinstance(data.setdefault(key, []), list):
            raise Refused(f'{path}: "{key}" is no list: run that part again')
        data[key] = [entry for entry in data[key] if isinstance(entry, dict)]
    return data


def number(value):
    """The value if it is a figure, else None."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value if good else None


def figure(entry, *names):
    """entry[name][name]... as a figure; None if anything on the way is missing."""
    for name in names:
        entry = entry.get(name) if isinstance(entry, dict) else None
    return number(entry)


def section(data, name):
    """A part's object, empty where it is null or missing."""
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def pick(entries, **wanted):
    """Those with all these values; 64 is not "64", and true is not 1."""
    return [entry for entry in entries if all(
        entry.get(key) == value and isinstance(entry.get(key), bool) == isinstance(value, bool)
        for key, value in wanted.items())]


def first(entries, **wanted):
    found = pick(entries, **wanted)
    return found[0] if found else {}


def crypto_ns(data, engine, suite=CM, payload=PAYLOAD, sessions=SESSIONS, burst=BURST):
    entry = first(data["crypto"], engine=engine, suite=suite, payload=payload, sessions=sessions,
                  burst=burst)
    return figure(entry, "ns_per_packet")


def suites(entries):
    """Their suites, the goals' own one first."""
    return sorted({one["suite"] for one in entries}, key=lambda suite: (suite != CM, suite))


def port_of(data):
    """The port that goals look at: the cheapest that the relay was measured over."""
    measured = {one["port"] for one in data["datapath"]}
    return "rings" if "rings" in measured else "memif"


def relayed(data, sessions=SESSIONS, port=None):
    """The datapath's figure that goals look at: one worker, 160 bytes."""
    return first(data["datapath"], sessions=sessions, workers=1, port=port or port_of(data),
                 payload=PAYLOAD)


# --- figures that show nothing ---

def unnamed(entry, words, numbers):
    """What the entry does not say of the point that it is of, or nothing."""
    for key in words:
        if not isinstance(entry.get(key), str):
            return f'it does not name its "{key}"'
    for key in numbers:
        if number(entry.get(key)) is None:
            return f'it does not number its "{key}"'
    return ""


def crypto_fault(entry):
    fault = unnamed(entry, ("engine", "suite"), ("payload", "sessions", "burst"))
    if fault:
        return fault
    if not figure(entry, "verified"):
        return "no packet of it was verified"
    return "" if (figure(entry, "ns_per_packet") or 0) > 0 else "it has no time"


def datapath_fault(entry):
    fault = unnamed(entry, ("port",), ("sessions", "workers"))
    if fault:
        return fault
    loss = figure(entry, "loss")
    if loss is None:
        return "nobody counted its losses"
    if loss > 0:
        return f"{loss:g} packets were lost"
    if not figure(entry, "verified"):
        return "no packet of it was verified"
    return "" if (figure(entry, "ns_per_packet") or 0) > 0 else "it has no time"


def rtpengine_fault(entry):
    loss = figure(entry, "loss_at_max")
    if loss is None:
        return "nobody counted its losses"
    if loss > 0:
        return f"{loss:g} packets were lost at its highest rate"
    return "" if figure(entry, "verified") else "no packet of it was verified"


def name_of(part, entry):
    words = [part] + [str(entry[key]) for key in ("engine", "suite", "port") if key in entry]
    units = (("payload", "B"), ("sessions", "sessions"), ("burst", "packets a burst"),
             ("workers", "workers"))
    words += [f"{entry[key]} {unit}" for key, unit in units if key in entry]
    return " ".join(words)


def sift(data):
    """Takes out each figure that shows nothing. Returns a sentence for each."""
    sentences = []
    for part, fault in (("crypto", crypto_fault), ("datapath", datapath_fault)):
        good = []
        for entry in data[part]:
            reason = fault(entry)
            if reason:
                sentences.append(f"{name_of(part, entry)}: refused, for {reason}")
            else:
                good.append(entry)
        data[part] = good
    peer = section(data, "rtpengine")
    reason = rtpengine_fault(peer) if peer else ""
    if reason:
        sentences.append(f"rtpengine: refused, for {reason}")
        data["rtpengine"], data["rtpengine_skipped"] = None, "refused, for " + reason
    return sentences


# --- merging ---

def check_run(path, data, run):
    if "run" not in data:
        raise Refused(f'{path} says of no run that it is of: give each part the run\'s id in '
                      "SALLYPORT_LAB_RUN, and run it again")
    if data["run"] != run:
        raise Refused(f'{path} is of run "{data["run"]}", and not of "{run}": figures of two runs '
                      "are not compared, so run all parts again")


def merge(run, paths):
    """All parts of a run as one object, without the figures that show nothing; those are named
    under "refused"."""
    merged = {"schema": SCHEMA, "run": run}
    whose = {}
    for path in paths:
        data = read(path)
        check_run(path, data, run)
        head = HEAD if "schema" in data else ()
        if head and data["schema"] != SCHEMA:
            raise Refused(f'{path} has schema {data["schema"]}, and this report reads {SCHEMA}: '
                          "run all parts with one release")
        for key in head + FIGURES:
            if key not in data or data[key] == []:
                continue
            if key in whose:
                raise Refused(f'both {whose[key]} and {path} bring "{key}": name each part once')
            whose[key] = path
            merged[key] = data[key]
    for key in LISTS:
        merged.setdefault(key, [])
    merged["refused"] = sift(merged)
    merged["goals"] = goals(merged)
    return merged


def read_merged(path):
    """A merged file, sifted again: a figure that was written into it by hand is no better."""
    data = read(path)
    if data.get("schema") != SCHEMA or "run" not in data:
        raise Refused(f"{path} is not the lab's merged file of schema {SCHEMA}: make it with "
                      "bench/run.sh --json FILE")
    told = data.get("refused")
    told = [str(one) for one in told] if isinstance(told, list) else []
    data["refused"] = told + sift(data)
    data["goals"] = goals(data)
    return data


# --- goals ---

def spread_of(*spreads):
    """How far the ratio of figures with these spreads may be off; None if any is not known."""
    return None if None in spreads else round(sum(spreads), 4)


def is_met(value, limit, better):
    return {"higher": value >= limit, "lower": value <= limit, "below": value < limit}[better]


def goal(key, name, limit, reach, better, unit, measured):
    """measured: (value, spread, note), or a sentence that says what is missing."""
    made = {"number": key, "name": name, "value": None, "unit": unit, "limit": limit,
            "reach": reach, "better": better, "met": None}
    if isinstance(measured, str):
        return {**made, "note": measured}
    value, spread, note = measured
    return {**made, "value": round(value, 4), "spread": spread, "note": note,
            "met": is_met(value, limit, better)}


def point(data, engine, burst=BURST):
    return first(data["crypto"], engine=engine, suite=CM, payload=PAYLOAD, sessions=SESSIONS,
                 burst=burst)


def best_fused(data, burst=BURST):
    """The faster one's figure."""
    found = [point(data, engine, burst) for engine in FUSED]
    return min((one for one in found if one), key=lambda one: one["ns_per_packet"], default={})


def goal_crypto(data):
    raw, fused = point(data, RAW), best_fused(data)
    if not raw or not fused:
        return f"no crypto figure of {'a fused engine' if raw else RAW} at that point"
    return (raw["ns_per_packet"] / fused["ns_per_packet"],
            spread_of(figure(raw, "spread"), figure(fused, "spread")),
            f"{fused['engine']} {fused['ns_per_packet']:.1f} ns, {RAW} "
            f"{raw['ns_per_packet']:.1f} ns")


def engine_of(data):
    """The engine that the relay chose; where it chose none, the best fused one."""
    return section(data, "engine").get("chosen") or best_fused(data).get("engine")


def goal_bursts(data):
    engine = engine_of(data)
    pairs = []
    for burst in range(1, 16):
        raw, ours = point(data, RAW, burst), point(data, engine, burst)
        if raw and ours:
            pairs.append((ours["ns_per_packet"] / raw["ns_per_packet"], burst, ours, raw))
    if not pairs:
        return f"no crypto figures of {RAW} and the chosen engine at bursts of 1 to 15"
    worst, burst, ours, raw = max(pairs, key=lambda pair: pair[0])
    return (worst, spread_of(figure(ours, "spread"), figure(raw, "spread")),
            f"{engine}, worst with {burst} packets; {len(pairs)} sizes measured")


def goal_datapath(data):
    ours, raw = relayed(data), point(data, RAW)
    added = figure(ours, "added_ns_per_packet")
    # in turns with the relay, on its core; alone, where that was not measured
    beside, spread = figure(ours, "raw_ns_per_packet"), figure(ours, "raw_spread")
    if beside is None and raw:
        beside, spread = raw["ns_per_packet"], figure(raw, "spread")
    if added is None or beside is None:
        return "no " + ("datapath figure" if added is None else f"crypto figure of {RAW}")
    alone = f", {raw['ns_per_packet']:.1f} ns in its own part" if raw else ""
    other = relayed(data, port="memif")
    over = figure(other, "added_ns_per_packet")
    its = figure(other, "raw_ns_per_packet") or beside
    if port_of(data) != "memif" and over is not None:
        alone += f"; over memif {over:.1f} ns added beside {its:.1f} ns, {over / its:.2f} times"
    return (added / beside, spread_of(figure(ours, "added_spread"), spread),
            f"relay {ours['ns_per_packet']:.1f} ns, echo {ours['ns_per_packet'] - added:.1f} ns, so "
            f"{added:.1f} ns added; {RAW} {beside:.1f} ns{alone}")


def goal_sessions(data):
    few, many = relayed(data), relayed(data, SESSIONS_MANY)
    one, other = (figure(entry, "added_ns_per_packet") for entry in (few, many))
    if other is None or one is None or one <= 0:
        return f"no datapath figure at {SESSIONS_MANY if other is None else SESSIONS} sessions"
    whole = [entry["ns_per_packet"] for entry in (few, many)]
    return (other / one, spread_of(figure(few, "added_spread"), figure(many, "added_spread")),
            f"added {one:.1f} ns at {SESSIONS}, {other:.1f} ns at {SESSIONS_MANY:,}; with the port's "
            f"cost {whole[0]:.1f} and {whole[1]:.1f} ns, {whole[1] / whole[0]:.2f} times")


def goal_rtpengine(data):
    peer, ours = figure(data, "rtpengine", "cpu_ns_per_packet"), relayed(data)
    if peer is None or not ours:
        return "no figure of " + ("rtpengine" if peer is None else "the datapath")
    return (peer / ours["ns_per_packet"],
            spread_of(figure(data, "rtpengine", "spread"), figure(ours, "spread")),
            f"rtpengine {peer:.0f} ns, Sallyport {ours['ns_per_packet']:.0f} ns")


def goal_latency(data):
    ours = relayed(data)
    with_relay, echo, added = (figure(ours, key, "p99") for key in (
        "latency_us", "echo_latency_us", "added_latency_us"))
    if with_relay is None or echo is None or added is None:
        return "no latency of " + ("the relay" if with_relay is None else "the echo")
    return (added, None, f"relay {with_relay:.1f} us, echo at the same rate {echo:.1f} us")


def goals(data):
    here = f"{PAYLOAD} B, {SESSIONS} sessions"
    return [
        goal(1, f"fused engine against {RAW}, crypto alone, {here}", 1.5, 1.8, "higher", "times",
             goal_crypto(data)),
        goal("1b", f"the relay's engine against {RAW}, worst of bursts of 1 to 15", 1.0, None,
             "lower", "times its time", goal_bursts(data)),
        goal(2, f"what the relay adds to an echo, against {RAW}'s crypto, {here}", 1.0, 0.8,
             "lower", "times its time", goal_datapath(data)),
        goal(3, f"what the relay adds at {SESSIONS_MANY:,} sessions, against {SESSIONS}", 1.4,
             None, "lower", "times", goal_sessions(data)),
        goal(4, f"rtpengine's CPU time a packet, against Sallyport's whole time, {here}", 30,
             None, "higher", "times", goal_rtpengine(data)),
        goal(5, f"p99 latency that the relay adds at half load, {here}", 50, None, "below", "us",
             goal_latency(data)),
    ]


def verdict(one):
    """met, missed, or not measured."""
    return {True: "met", False: "missed"}.get(one["met"], "not measured")


# --- words for people ---

def short(value):
    """A figure for an axis or a label: three digits, and k for thousands."""
    if abs(value) >= 999.5:
        return f"{value / 1000:.3g}k" if abs(value) < 999500 else f"{value / 1e6:.3g}M"
    return f"{value:.3g}"


def machine_words(data):
    """The machine in one sentence."""
    here = section(data, "machine")
    if not here:
        return "Machine: not described"
    words = [f"family {here.get('family', '?')} model {here.get('model', '?')}"]
    for key, unit in (("cores", "cores"), ("tsc_mhz", "MHz TSC"), ("l3_kib", "KiB L3"),
                      ("memory_mb", "MB memory"), ("hugepages_mb", "MB in huge pages")):
        if figure(here, key) is not None:
            words.append(f"{here[key]} {unit}")
    if here.get("virtual") is True:
        words.append("virtual")
    words.append(f"Linux {here.get('kernel', '?')}")
    isa = here.get("isa")
    words.append(" ".join(map(str, isa)) if isinstance(isa, list) else "no ISA named")
    return f"{here.get('cpu', '?')}: " + ", ".join(words)


def run_words(data):
    seconds = figure(data, "seconds")
    return (f"Sallyport {data.get('release', '?')} ({data.get('commit', '?')}), run {data['run']} "
            f"of {data.get('begun', '?')}, {'?' if seconds is None else f'{seconds:.0f}'} s"
            + (", --quick: fewer points and rounds" if data.get("quick") is True else ""))


def wanted_words(one):
    """What a goal wants."""
    words = {"higher": "at least", "lower": "at most", "below": "under"}[one["better"]]
    reach = "" if one["reach"] is None else f", reach {one['reach']:g}"
    return f"wanted {words} {one['limit']:g}{reach}"
