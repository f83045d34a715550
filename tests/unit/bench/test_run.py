#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""bench/run.sh over parts that are stand-ins: their order, failures, interruption, and what is left
behind. Needs no root: `id` and the builders are stand-ins too."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
import counted # noqa: E402

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../bench")
MESON = r"""#!/bin/sh
case "$1 $*" in
  setup*) mkdir -p "$2/bench" && touch "$2/build.ninja" && cp "$STAND_INS/crypto" "$2/bench/" ;;
  *--buildoptions*) echo "[{\"name\": \"buildtype\", \"value\": \"${BUILDTYPE:-release}\"}]" ;;
  *) echo '{"version": "0.1.0"}' ;;
esac
"""
DPKG_QUERY = '#!/bin/sh\n[ -z "$NONE" ] && echo "install ok installed"\n'
CRYPTO = r"""#!/bin/sh
echo "crypto $*" >>"$STAND_INS/log"
[ -z "$CRYPTO_STATUS" ] || exit "$CRYPTO_STATUS"
cat <<END
{"run": "$SALLYPORT_LAB_RUN", "seconds": 1, "crypto": [
 {"engine": "avx2", "suite": "AES_CM_128_HMAC_SHA1_80", "payload": 160, "sessions": 64,
  "burst": 64, "ns_per_packet": 60.5, "spread": 0.1, "verified": 128}]}
END
"""
DATAPATH = r"""#!/bin/bash
echo "datapath $*" >>"$STAND_INS/log"
while [ $# -gt 0 ]; do [ "$1" = --out ] && out=$2; shift; done
if [ -n "$DATAPATH_WAITS" ]; then
  trap 'echo "datapath takes down" >>"$STAND_INS/log"; exit 1' TERM
  sleep 300 &
  echo "waiting $!" >>"$STAND_INS/log"
  sleep 300
fi
echo '{"run": "'"${DATAPATH_RUN:-$SALLYPORT_LAB_RUN}"'", "sessions": {"install_per_s": 7}}' >"$out"
exit "${DATAPATH_STATUS:-0}"
"""
RTPENGINE = r"""#!/bin/bash
echo "rtpengine $*" >>"$STAND_INS/log"
while [ $# -gt 0 ]; do [ "$1" = --out ] && out=$2; shift; done
echo '{"run": "'"$SALLYPORT_LAB_RUN"'", "rtpengine": null, "rtpengine_skipped": "not here"}' >"$out"
exit "${RTPENGINE_STATUS:-77}"
"""


class Lab(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("tree/bench", "tree/deploy", "bin", "tmp"):
            os.makedirs(self.path(name))
        for name in ("run.sh", "machine.py", "report.py", "report_data.py", "report_page.py",
                     "report_svg.py"):
            shutil.copy(os.path.join(BENCH, name), self.path("tree/bench/" + name))
        for name, text in (("bin/id", "#!/bin/sh\necho ${UID_SHOWN:-0}\n"), ("bin/meson", MESON),
                           ("bin/ninja", "#!/bin/sh\nexit ${NINJA_STATUS:-0}\n"),
                           ("bin/dpkg-query", DPKG_QUERY),
                           ("tree/deploy/packages.sh", "#!/bin/sh\necho some-package\n"),
                           ("crypto", CRYPTO), ("tree/bench/datapath.sh", DATAPATH),
                           ("tree/bench/rtpengine.sh", RTPENGINE)):
            with open(self.path(name), "w", encoding="ascii") as file:
                file.write(text)
            os.chmod(self.path(name), 0o755)
        self.run_sh = [self.path("tree/bench/run.sh")]

    def path(self, name):
        return os.path.join(self.folder, name)

    def environment(self, **more):
        kept = {key: value for key, value in os.environ.items()
                if not key.startswith(("SALLYPORT_", "CRYPTO_", "DATAPATH_", "RTPENGINE_"))}
        return {**kept, "PATH": self.path("bin") + ":" + os.environ["PATH"],
                "STAND_INS": self.folder, "TMPDIR": self.path("tmp"),
                "PYTHONDONTWRITEBYTECODE": "1", "SALLYPORT_BENCH_LOCK": self.path("lock"), **more}

    def lab(self, *arguments, **more):
        done = subprocess.run(self.run_sh + list(arguments), env=self.environment(**more),
                              text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                              check=False)
        self.assertEqual(os.listdir(self.path("tmp")), [], "left behind")
        return done

    def log(self):
        try:
            with open(self.path("log"), encoding="ascii") as file:
                return [line.split()[0] for line in file]
        except FileNotFoundError:
            return []

    def figures(self):
        with open(self.path("tree/build-bench/lab.json"), encoding="ascii") as file:
            return json.load(file)


class Use(Lab):
    def test_help(self):
        done = self.lab("--help", UID_SHOWN="1000")
        self.assertEqual(done.returncode, 0)
        for word in ("--quick", "--part", "SALLYPORT_BENCH_BUILD", "Exit status"):
            self.assertIn(word, done.stdout)

    def test_wrong_use(self):
        for words in (["--what"], ["--part"], ["--part", "all"], ["--part", "crypto datapath"],
                      ["--json", ""], ["--json", "/no/such/file"], ["--html", self.folder]):
            done = self.lab(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn("--help", done.stderr)
        self.assertEqual(self.log(), [])

    def test_without_root(self):
        done = self.lab(UID_SHOWN="1000")
        self.assertEqual(done.returncode, 1)
        self.assertIn("run it as root (sudo)", done.stderr)

    def test_missing_packages_are_named(self):
        done = self.lab(NONE="1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("some-package. Install them: sudo deploy/packages.sh build demo", done.stderr)

    def test_only_a_release_build_is_measured(self):
        done = self.lab(BUILDTYPE="debug")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is no release build", done.stderr)
        self.assertEqual(self.lab(NINJA_STATUS="1").returncode, 1)
        self.assertEqual(self.log(), [])


class Parts(Lab):
    def test_all_in_order(self):
        done = self.lab("--quick", "--json", self.path("out.json"), "--html", self.path("out.html"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.log(), ["crypto", "datapath", "rtpengine"])
        with open(self.path("log"), encoding="ascii") as file:
            self.assertEqual(file.read().count("--quick"), 3)
        data = self.figures()
        self.assertIs(data["quick"], True)
        self.assertEqual((data["schema"], data["release"]), (1, "0.1.0"))
        self.assertEqual(data["crypto"][0]["ns_per_packet"], 60.5)
        self.assertEqual(data["sessions"], {"install_per_s": 7})
        self.assertEqual(data["rtpengine_skipped"], "not here")
        self.assertEqual(len(data["goals"]), 6)
        self.assertIn("Goals", done.stdout)
        self.assertIn("part 2 of 3", done.stderr)
        with open(self.path("out.json"), encoding="ascii") as file:
            self.assertEqual(json.load(file), data)
        self.assertGreater(os.path.getsize(self.path("out.html")), 3000)

    def test_only_some(self):
        self.assertEqual(self.lab("--part", "rtpengine", "--part", "crypto").returncode, 0)
        self.assertEqual(self.log(), ["crypto", "rtpengine"])
        self.assertIs(self.figures()["quick"], False)

    def test_one_that_fails_leaves_the_others(self):
        done = self.lab(DATAPATH_STATUS="3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("datapath failed with status 3", done.stderr)
        self.assertNotIn("sessions", self.figures())
        self.assertEqual(len(self.figures()["crypto"]), 1)

    def test_one_that_fails_may_say_why(self):
        done = self.lab(RTPENGINE_STATUS="1")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.figures()["rtpengine_skipped"], "not here")

    def test_nothing_could_run(self):
        self.assertEqual(self.lab("--part", "rtpengine").returncode, 77)
        # one that says only why it has no figures has not measured, whatever its status
        done = self.lab("--part", "rtpengine", RTPENGINE_STATUS="0")
        self.assertEqual(done.returncode, 77)
        self.assertEqual(self.lab("--part", "crypto", CRYPTO_STATUS="77").returncode, 77)
        self.assertEqual(self.lab("--part", "crypto", CRYPTO_STATUS="1").returncode, 1)

    def test_figures_of_another_run_are_refused(self):
        done = self.lab(DATAPATH_RUN="an older one")
        self.assertEqual(done.returncode, 1)
        self.assertIn('is of run "an older one"', done.stderr)
        self.assertEqual(done.stdout, "")


def hear_signals():
    """Whoever runs this in the background may have them ignored, and a shell can't change that."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Interrupted(Lab):
    def begin(self):
        """A lab whose part waits; returns it and the pid of what the part started."""
        process = subprocess.Popen(self.run_sh + ["--part", "datapath"], text=True,
                                   env=self.environment(DATAPATH_WAITS="1"),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, preexec_fn=hear_signals)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 20
        while "waiting" not in self.log():
            self.assertLess(time.monotonic(), deadline, "the part did not start")
            time.sleep(0.05)
        with open(self.path("log"), encoding="ascii") as file:
            return process, int(file.read().split("waiting ")[1].split()[0])

    def end(self, process, signal_number):
        process.send_signal(signal_number)
        return process.communicate(timeout=30)

    def test_everything_is_taken_down(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process, child = self.begin()
            _, err = self.end(process, number)
            self.assertEqual(process.returncode, 1)
            self.assertIn("interrupted", err)
            self.assertIn("datapath", self.log()[2:], "the part was not let take down its things")
            self.assertEqual(os.listdir(self.path("tmp")), [])
            self.assertFalse(os.path.exists(f"/proc/{child}"), "the part's child still runs")
            os.unlink(self.path("log"))

    def test_two_at_once_are_refused(self):
        process, _ = self.begin()
        done = subprocess.run(self.run_sh, env=self.environment(), text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("already running", done.stderr)
        self.end(process, signal.SIGTERM)
        # and it is free again
        self.assertEqual(self.lab("--part", "crypto").returncode, 0)


if __name__ == "__main__":
    sys.exit(counted.run(sys.modules[__name__]))
