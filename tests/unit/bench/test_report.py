#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The lab's merging, goals, table and page, on figures made up here."""
import contextlib
import copy
import html.parser
import io
import json
import os
import re
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "bench"))
import counted # noqa: E402
import report # noqa: E402
import report_data as lab # noqa: E402
import report_page # noqa: E402

COST = {lab.RAW: 120.0, "ipsec-mb": 140.0, "avx2": 90.0, "avx512": 60.0, "libsrtp2": 5000.0}


def crypto_entry(engine, payload, sessions, burst, suite=lab.CM):
    cost = COST[engine] * (0.5 + payload / 320) * (1 + sessions / 200000) * (1 + 1 / burst)
    made = {"engine": engine, "suite": suite, "payload": payload, "sessions": sessions,
            "burst": burst, "ns_per_packet": cost, "spread": 0.04, "verified": 896,
            "core_share": 0.99}
    if engine == lab.RAW:
        made["interface"] = "HASH_BURST+CIPHER_BURST"
    return made


def crypto():
    points = [(160, sessions, 64) for sessions in (64, 1000, 10000, 100000, 400000)]
    points += [(payload, 64, 64) for payload in (20, 80, 320, 1200)]
    entries = [crypto_entry(engine, *point, suite) for engine in COST for point in points
               for suite in (lab.CM, "AEAD_AES_128_GCM")]
    return entries + [crypto_entry(engine, 160, 64, burst) for engine in COST
                      for burst in (1, 2, 4, 8, 15)]


def datapath_entry(sessions, added, **others):
    return {"sessions": sessions, "workers": 1, "port": "memif", "payload": 160, "mpps": 5.1,
            "loss": 0, "ns_per_packet": 110 + added, "echo_ns_per_packet": 110,
            "added_ns_per_packet": added, "spread": 0.03, "added_spread": 0.05, "burst": 47.1,
            "echo_burst": 46.2, "busy": 0.97, "verified": 20000, "core_share": 0.98,
            "latency_us": {"p50": 14.1, "p99": 29.8, "p999": 131},
            "latency_90_us": {"p50": 24.1, "p99": 89.8, "p999": 412},
            "echo_latency_us": {"p50": 9.5, "p99": 15.2, "p999": 40},
            "added_latency_us": {"p50": 4.6, "p99": 14.7, "p999": 91},
            "echo_latency_90_us": {"p50": 9.9, "p99": 17.2, "p999": 44},
            "added_latency_90_us": {"p50": 14.2, "p99": 72.6, "p999": 368},
            "stages": {"receive": 120.1, "sort": 30.0, "open": 33, "verify": 80, "accept": 25,
                       "transcrypt": 60, "address": 30, "send": 70}, **others}


SAMPLE = {
    "schema": 1, "release": "0.1.0", "commit": "abcdef", "run": "one", "quick": True,
    "begun": "2026-01-02T11:00:00Z", "seconds": 512,
    "machine": {"cpu": "Some CPU", "vendor": "Some", "family": 25, "model": 17, "cores": 2,
                "tsc_mhz": 2600, "l3_kib": 32768, "memory_mb": 24000, "kernel": "6.1.0",
                "hugepages_mb": 4096, "isa": ["avx2", "avx512f", "vaes"], "virtual": True},
    "engine": {"chosen": "avx512", "why": "avx512 60 ns, avx2 90 ns, ipsec-mb 140 ns a packet"},
    "crypto": crypto(),
    "echo": [{"port": "memif", "mpps": 9.1, "ns_per_packet": 109.8, "spread": 0.02, "burst": 60.5},
             {"port": "rings", "mpps": 15.3, "ns_per_packet": 12.5, "spread": 0.02, "burst": 63.0}],
    "skipped": [{"part": "datapath", "workers": 3, "why": "three workers need 4 cores"}],
    "datapath": [datapath_entry(64, 90.0), datapath_entry(1000, 95.0),
                 datapath_entry(10000, 104.0), datapath_entry(100000, 120.0),
                 datapath_entry(64, 130.0, payload="mixed"),
                 datapath_entry(64, 90.0, workers=2)],
    "rtpengine": {"version": "10.5.3.5", "sessions": 100, "cpu_ns_per_packet": 7100,
                  "max_pps": 140000, "loss_at_max": 0, "verified": 900, "ratio": 35.5,
                  "latency_us": {"p50": 44, "p99": 1100, "p999": 2000},
                  "sallyport_cpu_ns_per_packet": 200},
    "sessions": {"install_per_s": 21000, "delete_per_s": 40000, "bytes_per_session": 2024,
                 "installed": 20000},
}


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.data = copy.deepcopy(SAMPLE)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(data if isinstance(data, str) else json.dumps(data))
        return self.path(name)

    def parts(self, run="one"):
        """The sample, as the parts that would have brought it."""
        shares = {"head.json": lab.HEAD, "machine.json": ("machine",),
                  "crypto.json": ("crypto", "engine"),
                  "paths.json": ("echo", "datapath", "sessions", "skipped"), "peer.json": ("rtpengine",)}
        return [self.write(name, {"run": run, **{key: self.data[key] for key in keys}})
                for name, keys in shares.items()]

    def call(self, *arguments):
        """report.py's status and what it said on stdout and stderr."""
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = report.main(list(arguments))
        out.flush()
        return status, out.buffer.getvalue().decode(), err.getvalue()

    def goals(self):
        lab.sift(self.data)
        return {one["number"]: one for one in lab.goals(self.data)}


class Merge(Folder):
    def test_parts_of_one_run_become_one(self):
        status, _, err = self.call("merge", "one", self.path("all"), *self.parts())
        self.assertEqual((status, err), (0, ""))
        merged = lab.read(self.path("all"))
        for key, value in SAMPLE.items():
            self.assertEqual(merged[key], value, key)
        self.assertEqual([one["met"] for one in merged["goals"]], [True] * 6)

    def refusal(self, *paths):
        status, _, err = self.call("merge", "one", self.path("all"), *paths)
        self.assertEqual(status, 1)
        self.assertFalse(os.path.exists(self.path("all")))
        self.assertEqual(err.count("\n"), 1)
        return err

    def test_a_part_of_another_run_is_refused(self):
        other = self.write("other", {"run": "two", "echo": []})
        self.assertRegex(self.refusal(*self.parts(), other), 'is of run "two", and not of "one"')

    def test_a_part_of_no_run_is_refused(self):
        self.assertRegex(self.refusal(self.write("x", {"echo": []})), "SALLYPORT_LAB_RUN")

    def test_two_parts_with_the_same_figures_are_refused(self):
        again = self.write("again", {"run": "one", "echo": SAMPLE["echo"]})
        self.assertRegex(self.refusal(*self.parts(), again), 'both .* bring "echo"')

    def test_what_is_no_part_is_refused(self):
        for text in ("", "{", "[1]", '{"run": "one", "crypto": 5}', '{"run": "one", "echo": [NaN]}',
                     "[" * 100000):
            self.refusal(self.write("x", text))
        self.refusal(self.path("not there"))
        self.refusal(self.write("x", {"run": "one", "schema": 2}))

    def leaves_out(self, part, change, words):
        for entry in [self.data[part]] if part == "rtpengine" else self.data[part][:1]:
            change(entry)
        status, _, err = self.call("merge", "one", self.path("all"), *self.parts())
        self.assertEqual(status, 1)
        self.assertRegex(err, words)
        merged = lab.read(self.path("all"))
        self.assertEqual(len(merged["refused"]), 1)
        if part != "rtpengine":
            self.assertEqual(merged[part], SAMPLE[part][1:])
        return merged

    def test_a_figure_with_loss_is_left_out(self):
        merged = self.leaves_out("datapath", lambda entry: entry.update(loss=1),
                                 "datapath memif 160 B 64 sessions.*1 packets were lost")
        self.assertEqual([one["number"] for one in merged["goals"] if one["met"] is None],
                         [2, 3, 4, 5])

    def test_a_figure_that_nobody_verified_is_left_out(self):
        self.leaves_out("datapath", lambda entry: entry.update(verified=0), "no packet .* verified")
        self.data = copy.deepcopy(SAMPLE)
        self.leaves_out("datapath", lambda entry: entry.pop("verified"), "no packet .* verified")
        self.data = copy.deepcopy(SAMPLE)
        self.leaves_out("crypto", lambda entry: entry.update(verified=0), "no packet .* verified")

    def test_a_figure_whose_loss_nobody_counted_is_left_out(self):
        self.leaves_out("datapath", lambda entry: entry.pop("loss"), "nobody counted")

    def test_a_figure_of_no_point_is_left_out(self):
        self.leaves_out("crypto", lambda entry: entry.pop("engine"), 'does not name its "engine"')
        self.data = copy.deepcopy(SAMPLE)
        self.leaves_out("datapath", lambda entry: entry.update(sessions=None), '"sessions"')

    def test_rtpengine_with_loss_is_left_out(self):
        merged = self.leaves_out("rtpengine", lambda peer: peer.update(loss_at_max=4), "4 packets")
        self.assertIsNone(merged["rtpengine"])
        self.assertRegex(merged["rtpengine_skipped"], "lost")


class Goals(Folder):
    def test_raw_in_turns_with_the_relay_counts_first(self):
        for entry in self.data["datapath"]:
            entry.update(raw_ns_per_packet=45.0, raw_spread=0.3)
        goals = self.goals()
        self.assertAlmostEqual(goals[2]["value"], 2.0)
        self.assertGreaterEqual(goals[2]["spread"], 0.3)
        self.assertIn("raw-ipsec-mb 45.0 ns, ", goals[2]["note"])

    def test_the_values(self):
        goals = self.goals()
        self.assertAlmostEqual(goals[1]["value"], 2.0)
        self.assertAlmostEqual(goals["1b"]["value"], 0.5)
        raw = lab.crypto_ns(self.data, lab.RAW)
        self.assertAlmostEqual(goals[2]["value"], 90 / raw, 3)
        self.assertAlmostEqual(goals[3]["value"], 120 / 90, 3)
        self.assertAlmostEqual(goals[4]["value"], 7100 / 200, 3)
        self.assertAlmostEqual(goals[5]["value"], 14.7, 3)
        self.assertAlmostEqual(goals[1]["spread"], 0.08)
        self.assertAlmostEqual(goals[2]["spread"], 0.09)
        self.assertAlmostEqual(goals[3]["spread"], 0.10)

    def test_the_better_fused_engine_counts(self):
        for one in lab.pick(self.data["crypto"], engine="avx512"):
            one["ns_per_packet"] *= 10
        self.assertRegex(self.goals()[1]["note"], "avx2")

    def test_the_worst_burst_counts(self):
        for one in lab.pick(self.data["crypto"], engine="avx512", burst=8):
            one["ns_per_packet"] *= 2.2
        goal = self.goals()["1b"]
        self.assertAlmostEqual(goal["value"], 1.1)
        self.assertIs(goal["met"], False)
        self.assertRegex(goal["note"], "worst with 8 packets; 5 sizes")

    def test_the_limits(self):
        self.assertTrue(lab.is_met(1.5, 1.5, "higher"))
        self.assertFalse(lab.is_met(1.49, 1.5, "higher"))
        self.assertTrue(lab.is_met(1.0, 1.0, "lower"))
        self.assertFalse(lab.is_met(1.01, 1.0, "lower"))
        self.assertFalse(lab.is_met(50, 50, "below"))

    def test_only_the_point_itself_counts(self):
        for one in self.data["datapath"]:
            if one["sessions"] == 64 and one["workers"] == 1 and one["payload"] == 160:
                one["port"] = "another"
        self.assertIsNone(self.goals()[2]["met"])

    def test_the_cheapest_port_counts(self):
        """Where the relay was measured over rings, too, goals look at those."""
        over = [dict(one, port="rings", added_ns_per_packet=one["added_ns_per_packet"] * 2)
                for one in self.data["datapath"] if one["payload"] == 160]
        before = self.goals()[2]
        self.data["datapath"] += over
        after = self.goals()[2]
        self.assertAlmostEqual(after["value"], 2 * before["value"], 3)
        self.assertIn("over memif", after["note"])

    def test_nothing_measured_is_neither_met_nor_missed(self):
        bare = {"schema": 1, "run": "one", "crypto": [], "echo": [], "datapath": []}
        self.data = bare
        for one in self.goals().values():
            self.assertEqual(lab.verdict(one), "not measured")
            self.assertTrue(one["note"])


class Output(Folder):
    def report(self):
        return self.call("--html", self.path("page.html"), self.write("all", self.data))

    def page(self):
        with open(self.path("page.html"), encoding="utf-8") as file:
            return file.read()

    def test_the_table(self):
        status, out, err = self.report()
        self.assertEqual((status, err), (0, ""))
        self.assertTrue(out.startswith("Some CPU: family 25"))
        for line in out.splitlines():
            self.assertLessEqual(len(line), 100, line)
        self.assertEqual(len(re.findall(r"^  met ", out, re.M)), 6)
        self.assertRegex(out, r"160 x 64 +121\.9 +1\.00x")
        self.assertRegex(out, r"verify +80\.0")
        self.assertRegex(out, r"64 x 160 B +memif +1 +5\.10 +200\.0 +110\.0 +90\.0 +3 % +5 % +47\.1")
        self.assertRegex(out, r"64 x 160 B +1 +50 % +14\.1/29\.8/131 +9\.5/15\.2/40\.0 +14\.7")
        self.assertRegex(out, r"64 x 160 B +1 +90 % +24\.1/89\.8/412 +9\.9/17\.2/44\.0 +72\.6")
        self.assertRegex(out, r"echo alone over rings: 12\.5 ns")
        self.assertRegex(out, "3 workers: not measured, for three workers need 4 cores")

    def test_goals_tell_both_readings_of_more_sessions(self):
        _, out, _ = self.report()
        out = " ".join(out.split())
        self.assertIn("added 90.0 ns at 64, 120.0 ns at 100,000; with the port's cost 200.0 and "
                      "230.0 ns, 1.15 times", out)

    def test_goals_are_reckoned_afresh(self):
        self.data["goals"] = [{"number": 1, "name": "all is well", "met": True}]
        self.data["datapath"][0]["added_ns_per_packet"] = 900
        _, out, _ = self.report()
        self.assertRegex(out, r"missed +2 ")
        self.assertNotIn("all is well", out)

    def test_a_bad_figure_in_a_merged_file_is_refused(self):
        self.data["datapath"][0]["loss"] = 3
        status, out, _ = self.report()
        self.assertEqual(status, 1)
        self.assertRegex(out, "3 packets were lost")
        self.assertRegex(self.page(), "3 packets were lost")

    def test_any_subset_can_be_shown(self):
        for key in [key for key in SAMPLE if key not in ("schema", "run")]:
            self.data = copy.deepcopy(SAMPLE)
            del self.data[key]
            self.assertEqual(self.report()[0], 0, "without " + key)
            self.data[key] = None if key not in lab.LISTS else []
            self.assertEqual(self.report()[0], 0, "with an empty " + key)
        self.data = {"schema": 1, "run": "one", "rtpengine": None, "rtpengine_skipped": "no such"}
        status, out, _ = self.report()
        self.assertEqual(status, 0)
        self.assertEqual(len(re.findall(r"^  not measured +\d", out, re.M)), 6)
        self.assertRegex(out, "not measured: no such")

    def test_any_entry_may_lack_a_figure(self):
        for part in ("crypto", "datapath"):
            for key in SAMPLE[part][0]:
                self.data = copy.deepcopy(SAMPLE)
                for one in self.data[part]:
                    one.pop(key, None)
                self.report()
                for one in self.data[part]:
                    one[key] = "?"
                self.report()

    def test_a_lone_point_can_be_drawn(self):
        self.data["crypto"] = lab.pick(self.data["crypto"], payload=160, sessions=64, burst=64)
        self.data["datapath"] = self.data["datapath"][:1]
        self.assertEqual(self.report()[0], 0)
        self.assertNotIn("nan", re.sub(r"[a-z]nan|nan[a-z]", "", self.page()))

    def test_the_page_is_whole_and_alone(self):
        self.report()
        page = self.page()
        self.assertEqual(page.count("<svg "), 11)
        self.assertEqual(page.count("<details>"), 11 + 3)
        self.assertIn("three workers need 4 cores", page)
        for word in ("<script", "http:", "https:", "src=", "@import", "url(", "<link"):
            self.assertNotIn(word, page)
        self.assertIn("prefers-color-scheme:dark", page)
        check = Balance()
        check.feed(page)
        check.close()
        self.assertEqual(check.open, [])

    def test_letters_are_large_enough_on_a_telephone(self):
        self.assertIn("svg text{font-size:12px", report_page.STYLE)
        # of 360 pixels, margins and frames take 30: one unit is 330 / WIDTH pixels
        self.assertGreaterEqual(12 * 330 / report_page.svg.WIDTH, 11)

    def test_words_stay_within_the_plots(self):
        self.report()
        text = r'<text x="([\d.-]+)"[^>]*text-anchor="(\w+)"[^>]*>([^<]*)'
        for x, anchor, words in re.findall(text, self.page()):
            wide = len(words) * 6.6
            begin = float(x) - {"start": 0, "middle": wide / 2, "end": wide}[anchor]
            self.assertGreaterEqual(begin, -1, words)
            self.assertLessEqual(begin + wide, report_page.svg.WIDTH + 4, words)

    def test_text_of_the_file_is_only_text(self):
        evil = '<script>alert("1")</script>\x1b[2J&'
        self.data["machine"]["cpu"] = self.data["engine"]["why"] = evil
        self.data["release"] = self.data["commit"] = self.data["begun"] = self.data["run"] = evil
        self.data["rtpengine"]["version"] = evil
        for one in self.data["crypto"][:20]:
            one["suite"] = one["interface"] = evil
        self.data["datapath"][0]["stages"] = {evil: 5}
        self.data["datapath"][1].update(port=evil, payload=evil)
        self.data["echo"][0]["port"] = self.data["sessions"][evil] = evil
        self.data["refused"] = [evil]
        _, out, _ = self.report()
        self.assertNotIn("\x1b", out)
        self.assertNotIn("<script", self.page())


class Balance(html.parser.HTMLParser):
    """Which elements are still open, or were closed out of turn."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError("not in turn: " + tag)


class CommandLine(Folder):
    def test_wrong_use(self):
        for words in ([], ["--html"], ["--what", "x"], ["a", "b"], ["merge", "one"],
                      ["--html", "x"]):
            status, out, err = self.call(*words)
            self.assertEqual((status, out), (2, ""), words)
            self.assertRegex(err, "--help")

    def test_help(self):
        status, out, _ = self.call("--help")
        self.assertEqual(status, 0)
        self.assertRegex(out, "usage: report.py")

    def test_what_is_not_merged_is_refused(self):
        for data in ({"run": "one"}, {"schema": 1}, {"schema": 2, "run": "one"}):
            status, _, err = self.call(self.write("x", data))
            self.assertEqual(status, 1)
            self.assertRegex(err, "not the lab's merged file")

    def test_a_folder_that_is_not_there(self):
        page = self.path("no/such/page.html")
        status, _, err = self.call("--html", page, self.write("all", self.data))
        self.assertEqual(status, 1)
        self.assertRegex(err, "can't be written")


if __name__ == "__main__":
    sys.exit(counted.run(sys.modules[__name__]))
