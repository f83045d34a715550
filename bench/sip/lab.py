#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The SIP lab's parts, in the namespace that bench/sip.sh has made. Not meant to be called by hand."""
import argparse
import json
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import machine  # noqa: E402
import table  # noqa: E402
from processes import LabError  # noqa: E402
from products import DOMAIN, Kamailio, Sallyport, make_certificates  # noqa: E402
from traffic import Traffic  # noqa: E402

PARTS = ("search", "users", "soak", "overload")
KINDS = ("register", "caller")
RISE, CLOSE = 1.4, 1.05 # steps of the search upwards, and when it is near enough


class Plan:
    """How much of everything."""

    def __init__(self, brief, quick, rounds):
        self.rounds = rounds or (1 if quick or brief else 3)
        self.step_s = 1 if brief else 2
        self.confirm_s = 1 if brief else 4 if quick else 6
        self.users = 100 if brief else 10000 if quick else 100000
        self.calls_held = 24 if brief else 2000
        self.soak_s = 1 if brief else 30 if quick else 300
        self.overload_s = 1 if brief else 10 if quick else 20
        self.highest = {"register": 80, "caller": 40} if brief else {"register": 1e6, "caller": 1e6}


def say(text):
    print(f"sip: {text}", file=sys.stderr, flush=True)


class Lab:
    def __init__(self, options, plan):
        self.plan, self.options = plan, options
        folder = options.folder
        tls = f"{folder}/tls"
        make_certificates(tls)
        core = options.cores[1]
        self.traffic = Traffic(f"{folder}/traffic", options.cores[0], tls, plan.users)
        self.products = [Sallyport(f"{folder}/sallyport", core, plan.users, tls, options.build)]
        if options.rtpengine:
            self.products.append(Kamailio(f"{folder}/kamailio", core, plan.users, tls,
                                          options.rtpengine.split(), options.children))

    def with_product(self, product, work):
        product.up()
        try:
            self.traffic.answer()
            return work(product)
        finally:
            product.stop()

    def trial(self, product, what, rate, seconds, **more):
        result = self.traffic.trial(product, what, rate, seconds, **more)
        say(f"{product.name} {what}: {rate:.0f}/s for {seconds:.0f} s: {result['completed']} of "
            f"{result['calls']} done, {result['refused']} refused, {result['failed']} failed, "
            f"{result['late_s'] * 1000:.0f} ms late; " +
            ", ".join(f"{role} {busy:.0%}" for role, busy in result["busy"].items()))
        return result

    # --- the highest rate without a failure ---

    def search(self, product, what):
        """Upwards in steps until something fails or is late, then halfway, then a longer trial."""
        highest = self.plan.highest[what]
        rate, good, bad = min(highest, 200), 0, None
        for share in (600, 900): # what each costs is less when there are more
            first = self.trial(product, what, rate, self.plan.step_s)
            rate = min(highest, share / (first["cpu_ms"]["sip"] + first["cpu_ms"]["media"]))
        while bad is None or bad / max(good, 1) > CLOSE:
            if held(self.trial(product, what, rate, self.plan.step_s)):
                good = rate
            else:
                bad = rate
            if good >= highest:
                break
            rate = (good + bad) / 2 if bad else min(highest, good * RISE)
            if good == 0 and rate < 5:
                raise LabError(f"{product.name}: no rate of {what} is carried")
        rate = good
        for _ in range(8):
            result = self.trial(product, what, rate, self.plan.confirm_s)
            if held(result):
                return result
            rate *= 0.97
        raise LabError(f"{product.name}: no rate of {what} near {good:.0f}/s is carried twice")

    def part_search(self, results):
        for number in range(self.plan.rounds):
            number += len(results.get("rounds", [])) # who begins takes turns
            order = self.products if number % 2 == 0 else self.products[::-1]
            for product in order:
                found = self.with_product(product, lambda it: {
                    what: self.search(it, what) for what in self.options.what})
                results.setdefault("rounds", []).append({"product": product.name, **found})
        results["maximum"] = {
            product.name: {what: summary([
                found[what] for found in results["rounds"] if found["product"] == product.name])
                for what in self.options.what} for product in self.products}

    # --- many registered, many calls up ---

    def held_up(self, product, what, rate, count):
        """So many at a time: what came of them, and what the processes took of memory before, and
        while all were up; of Sallyport also what it says itself."""
        both = [product.role("sip"), product.role("media")]
        before, seen = [process.memory_kib() for process in both], {}

        def look():
            seen["memory"] = [process.memory_kib() for process in both]
            if isinstance(product, Sallyport):
                seen["stats"], seen["sessions"] = product.stats(), product.sessions()
        seconds = count / rate
        self.traffic.during = (seconds + 1.5, look)
        result = self.trial(product, what, rate, seconds, hold_ms=int(seconds * 1000) + 3000)
        if "memory" not in seen:
            raise LabError(f"{product.name}: SIPp ended before all of {count} were up")
        sip, media = ((now - was) * 1024 / result["calls"]
                      for was, now in zip(before, seen["memory"]))
        return result, seen, round(sip), round(media)

    def hold(self, product, rates):
        plan = self.plan
        self.trial(product, "caller", 50, 1) # what is taken once
        users, seen, each, _ = self.held_up(product, "register", rates["register"], plan.users)
        found = {"registered": users["completed"], "failed": users["failed"],
                 "bytes_per_registration": each}
        if "stats" in seen:
            found["registrations"] = seen["stats"]["registrations"]
        calls, seen, sip, media = self.held_up(product, "caller", rates["caller"], plan.calls_held)
        found |= {"calls": calls["completed"], "calls_failed": calls["failed"] + calls["refused"],
                  "bytes_per_call_sip": sip, "bytes_per_call_media": media}
        if "stats" in seen:
            found["calls_up"], found["sessions_up"] = seen["stats"]["calls"], seen["sessions"]
        return found

    def part_users(self, results):
        for product in self.products:
            rates = {what: 0.8 * self.maximum(results, product, what) for what in
                     ("register", "caller")}
            results.setdefault("users", {})[product.name] = self.with_product(
                product, lambda it, rates=rates: self.hold(it, rates))

    # --- how it bears that ---

    def maximum(self, results, product, what):
        try:
            return results["maximum"][product.name][what]["per_s"]
        except KeyError:
            raise LabError("the parts after \"search\" need its result: run it first, with the same "
                           "--json FILE") from None

    def part_soak(self, results):
        product = self.products[0]
        rate = 0.8 * self.maximum(results, product, "caller")
        results["soak"] = self.with_product(
            product, lambda it: self.trial(it, "caller", rate, self.plan.soak_s))

    def part_overload(self, results):
        for product in self.products:
            most = self.maximum(results, product, "caller")
            result = self.with_product(
                product, lambda it, most=most: self.trial(it, "caller", 3 * most,
                                                          self.plan.overload_s))
            result["share_of_maximum"] = round(result["steady_per_s"] / most, 3)
            results.setdefault("overload", {})[product.name] = result

    def close(self):
        self.traffic.stop()


def held(result):
    """Was the rate carried: nothing failed, nothing refused, and no queue that grew?"""
    return (result["completed"] == result["calls"] and
            result["late_s"] <= 0.05 + 0.02 * result["seconds"])


def summary(trials):
    """Median and spread of the rounds."""
    rates = [trial["completed_per_s"] for trial in trials]
    out = {"per_s": statistics.median(rates), "per_s_least": min(rates), "per_s_most": max(rates),
           "setup_ms": statistics.median(trial["setup_ms"] for trial in trials)}
    for role in ("sip", "media", "generator"):
        out[f"cpu_ms_{role}"] = statistics.median(trial["cpu_ms"][role] for trial in trials)
        out[f"busy_{role}"] = statistics.median(trial["busy"][role] for trial in trials)
    return out


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--cores", required=True, type=lambda text: text.split(","))
    parser.add_argument("--rtpengine", default="")
    parser.add_argument("--children", type=int, default=4)
    parser.add_argument("--parts", required=True)
    parser.add_argument("--what", action="append", choices=KINDS)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--more", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--brief", action="store_true")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    options.what = options.what or KINDS
    return options


def main():
    options = parse()
    results = {}
    if options.json and os.path.exists(options.json) and (
            options.more or options.parts.split()[0] != "search"):
        with open(options.json, encoding="utf-8") as file:
            results = json.load(file)
    plan = Plan(options.brief, options.quick, options.rounds)
    lab = None
    try:
        lab = Lab(options, plan)
        results["machine"] = machine.describe()
        results["domain"], results["quick"] = DOMAIN, options.quick or options.brief
        results["versions"] = {product.name: product.version for product in lab.products}
        for part in options.parts.split():
            say(f"part {part}")
            getattr(lab, f"part_{part}")(results)
            if options.json:
                with open(options.json, "w", encoding="utf-8") as file:
                    json.dump(results, file, indent=1)
                    file.write("\n")
    except LabError as error:
        say(str(error))
        return 1
    finally:
        if lab:
            lab.close()
    print(table.render(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
